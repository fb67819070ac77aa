import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { failureOf, kill, scratch, setup } from './support.ts'

// As on a machine that is not Linux, or has no /proc.
vi.mock('../../src/exec/os-pipe.ts', () => ({
  takePipes: () => Promise.resolve(undefined),
  giveBackPipes() {},
  openEnds() {
    throw new Error('there are none')
  },
}))

const directory = scratch()
const sh = (text: string): [string, string, string] => ['sh', '-c', text]

describe('where pipes of the system cannot be had', () => {
  it('commands run all the same', async () => {
    const { exec, output } = setup()
    const result = await exec.local({ command: sh('cat; echo err >&2'), stdin: 'in' })
    expect(result).toMatchObject({ stdout: 'in', stderrTail: 'err\n', bytes: 2 })
    await exec.local({ command: sh('echo out; echo err >&2'), stdout: 'log' })
    expect(output.chunks.map(([from]) => from).toSorted()).toEqual(['stderr', 'stderr', 'stdout'])
  })

  it('a slow sink gets every byte', async () => {
    let bytes = 0
    const result = await setup().exec.local({
      command: sh('head -c 5000000 /dev/zero'),
      stdout: {
        async write(chunk) {
          await new Promise((resolve) => setTimeout(resolve, 2))
          bytes += chunk.length
        },
      },
    })
    expect([bytes, result.bytes]).toEqual([5_000_000, 5_000_000])
  })

  it('pipelines pass bytes on, and no part for the whole', async () => {
    const { exec } = setup()
    const [, last] = await exec.pipeline([{ command: sh('head -c 3000000 /dev/zero') }, { command: ['wc', '-c'] }])
    expect(last?.stdout.trim()).toBe('3000000')
    const file = join(directory, 'committed')
    const error = await failureOf(
      exec.pipeline([{ command: sh('echo half; exit 5') }, { command: sh(`cat; touch ${file}`) }]),
    )
    expect(error.details).toMatchObject({ stage: 1, exitCode: 5 })
    expect(existsSync(file)).toBe(false)
  })

  it('a process that is left behind hangs nobody', async () => {
    const begin = performance.now()
    const { stdout } = await setup().exec.local({ command: sh('setsid sleep 20 & echo $!') })
    expect(performance.now() - begin).toBeLessThan(5000)
    kill(Number(stdout))
  })

  it('a timeout ends the group', async () => {
    const error = await failureOf(
      setup({ killGraceMs: 100 }).exec.local({ command: sh("trap '' TERM; sleep 86400"), timeout: 100 }),
    )
    expect(error.code).toBe('EXEC_TIMEOUT')
  })
})
