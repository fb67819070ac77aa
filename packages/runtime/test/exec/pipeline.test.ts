import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ExecRequest } from '@holdfast/sdk'
import { failureOf, isAlive, scratch, setup, until } from './support.ts'

const directory = scratch()
const sh = (text: string): ExecRequest => ({ command: ['sh', '-c', text] })

describe('exec.pipeline', () => {
  it('passes bytes from stage to stage without a shell', async () => {
    const results = await setup().exec.pipeline([
      { command: ['cat'], stdin: 'c\na\nb\n' },
      { command: ['sort'] },
      { command: ['tr', 'a-z', 'A-Z'] },
    ])
    expect(results.map(({ stdout, exitCode }) => [stdout, exitCode])).toEqual([
      ['', 0],
      ['', 0],
      ['A\nB\nC\n', 0],
    ])
  })

  it('keeps every byte of a large stream, into a sink', async () => {
    let total = 0
    let sum = 0
    await setup().exec.pipeline([
      sh('head -c 30000000 /dev/zero | tr "\\0" "\\001"'),
      { command: ['gzip', '-1'] },
      {
        command: ['gzip', '-d'],
        stdout: {
          async write(chunk) {
            total += chunk.length
            sum += chunk[0] ?? 0
          },
        },
      },
    ])
    expect(total).toBe(30_000_000)
    expect(sum).toBeGreaterThan(0)
  })

  it('is one command when it has one stage', async () => {
    expect((await setup().exec.pipeline([sh('echo one')]))[0]?.stdout).toBe('one\n')
  })

  it('gives every stage real pipes', async () => {
    const [, last] = await setup().exec.pipeline([sh('echo x > /dev/stdout'), sh('sleep 0.1; cat /dev/stdin')])
    expect(last?.stdout).toBe('x\n')
  })
})

describe('fault F47: a failing stage', () => {
  it('that is the first fails the pipeline, although the last ended well', async () => {
    const error = await failureOf(
      setup().exec.pipeline([sh('echo half; echo lost connection >&2; exit 5'), sh('cat; exit 0')]),
    )
    expect(error).toMatchObject({
      code: 'EXEC_FAILED',
      message: 'stage 1 of 2: sh failed with exit code 5: lost connection',
      details: { stage: 1, exitCode: 5, others: [{ stage: 2, code: 'EXEC_ABORTED' }] },
    })
  })

  it('never lets the next one take a part for the whole', async () => {
    const file = join(directory, 'committed')
    for (const watched of [{}, { idleTimeout: '1h' as const }]) {
      await failureOf(
        setup().exec.pipeline([
          { ...sh('echo half; exec >&-; sleep 0.1; exit 5'), ...watched },
          sh(`cat; touch ${file}`),
        ]),
      )
      expect(existsSync(file)).toBe(false)
    }
  })

  it('that is the last is the culprit, not the one that it cut off', async () => {
    const error = await failureOf(
      setup().exec.pipeline([{ command: ['yes'] }, sh('head -n 1; echo disk full >&2; exit 4')]),
    )
    expect(error).toMatchObject({
      code: 'EXEC_FAILED',
      message: 'stage 2 of 2: sh failed with exit code 4: disk full',
      details: { others: [{ stage: 1, code: expect.stringMatching(/^EXEC_(SIGNAL|ABORTED)$/) }] },
    })
  })

  it('that dies of SIGPIPE is the culprit if the reader ended well, unless 141 is well', async () => {
    const { exec } = setup()
    const error = await failureOf(exec.pipeline([{ command: ['yes'] }, { command: ['head', '-n', '1'] }]))
    expect(error).toMatchObject({ code: 'EXEC_SIGNAL', details: { stage: 1, signal: 'SIGPIPE' } })
    expect(error.hint).toContain('141')
    const [first, last] = await exec.pipeline([
      { command: ['yes'], okExitCodes: [0, 141] },
      { command: ['head', '-n', '1'] },
    ])
    expect([first?.exitCode, last?.stdout]).toEqual([141, 'y\n'])
  })

  it('that ends as of SIGPIPE while its reader waits for more holds nobody up', async () => {
    const error = await failureOf(setup().exec.pipeline([sh('exit 141'), { command: ['cat'] }]))
    expect(error).toMatchObject({ details: { stage: 1, exitCode: 141, others: [{ stage: 2, code: 'EXEC_ABORTED' }] } })
  })

  it('in the middle ends the others', async () => {
    const file = join(directory, 'pid')
    const error = await failureOf(
      setup().exec.pipeline([
        sh(`echo $$ > ${file}; sleep 86400`),
        sh(`while [ ! -s ${file} ]; do sleep 0.01; done; exit 6`),
        { command: ['cat'] },
      ]),
    )
    expect(error).toMatchObject({ details: { stage: 2, exitCode: 6 } })
    expect(isAlive(Number(readFileSync(file, 'utf8')))).toBe(false)
  })

  it('that cannot be started ends the others', async () => {
    const error = await failureOf(setup().exec.pipeline([{ command: ['yes'] }, { command: ['no-such-program'] }]))
    expect(error).toMatchObject({ code: 'EXEC_NOT_FOUND', details: { stage: 2 } })
  })

  it('that is stopped by its timeout or an abort ends them all', async () => {
    const { exec } = setup()
    const error = await failureOf(exec.pipeline([{ command: ['yes'] }, { command: ['sleep', '86400'], timeout: 100 }]))
    expect(error).toMatchObject({ code: 'EXEC_TIMEOUT', details: { stage: 2 } })
    const controller = new AbortController()
    const stages: [ExecRequest, ExecRequest] = [
      { command: ['yes'], signal: controller.signal },
      { command: ['cat'], stdout: 'log' },
    ]
    const running = failureOf(exec.pipeline(stages))
    setTimeout(() => controller.abort(new Error('enough')), 50)
    expect(await running).toMatchObject({ code: 'EXEC_ABORTED', message: 'stage 1 of 2: yes was stopped: enough' })
  })
})

describe('a stage that is watched', () => {
  it('gives its lines, and its bytes go on', async () => {
    const lines: string[] = []
    const [first, last] = await setup().exec.pipeline([
      { command: ['seq', '3'], onLine: (line) => lines.push(line) },
      { command: ['tac'] },
    ])
    expect([lines, first?.bytes, last?.stdout]).toEqual([['1', '2', '3'], 6, '3\n2\n1\n'])
  })

  it('is cut off when the next one reads no more', async () => {
    const error = await failureOf(
      setup().exec.pipeline([{ command: ['yes'], idleTimeout: '1m' }, { command: ['head', '-n', '1'] }]),
    )
    expect(error).toMatchObject({ details: { stage: 1, signal: 'SIGPIPE' } })
  })

  it('may not have streams of its own where its neighbours are', async () => {
    const { exec } = setup()
    const first = await failureOf(exec.pipeline([{ command: ['a'], stdout: 'log' }, { command: ['b'] }]))
    const second = await failureOf(exec.pipeline([{ command: ['a'] }, { command: ['b'], stdin: 'x' }]))
    expect([first.code, second.code]).toEqual(['EXEC_REQUEST', 'EXEC_REQUEST'])
  })
})

describe('a pipeline that waits', () => {
  it('feeds its reader while the writer still writes', async () => {
    const seen: string[] = []
    const running = setup().exec.pipeline([
      sh('echo first; sleep 0.3; echo second'),
      { command: ['cat'], stdout: { write: async (chunk) => void seen.push(Buffer.from(chunk).toString()) } },
    ])
    await until(() => seen.length > 0)
    expect(seen).toEqual(['first\n'])
    await running
    expect(seen.join('')).toBe('first\nsecond\n')
  })
})
