import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ExecRequest } from '@holdfast/sdk'
import { failureOf, isAlive, manualClock, scratch, setup, until } from './support.ts'

const directory = scratch()
const talker: ExecRequest = {
  command: ['sh', '-c', 'while read word; do echo "done: $word"; echo "note: $word" >&2; done; echo given back'],
}

describe('exec.session', () => {
  it('talks: a line for a word', async () => {
    const session = await setup().exec.session('local', talker)
    for (const word of ['freeze', 'hold']) {
      const answer = session.line((line) => line === `done: ${word}`, '5s')
      const note = session.line((line) => line.startsWith('note'), '5s')
      await session.write(`${word}\n`)
      expect([await answer, await note]).toEqual([`done: ${word}`, `note: ${word}`])
    }
    await session.end()
    expect(await session.result).toMatchObject({ exitCode: 0, stdout: 'done: freeze\ndone: hold\ngiven back\n' })
  })

  it('ends by the end of its input, which is its order to give back', async () => {
    const session = await setup().exec.session('local', talker)
    await session[Symbol.asyncDispose]()
    expect((await session.result).stdout).toBe('given back\n')
  })

  it('is killed at its disposal when it does not listen', async () => {
    const file = join(directory, 'pid')
    const { exec } = setup({ killGraceMs: 100 })
    const session = await exec.session('local', {
      command: ['sh', '-c', `trap '' TERM; echo $$ > ${file}; echo up; sleep 86400`],
    })
    await session.line((line) => line === 'up', '5s')
    await session[Symbol.asyncDispose]()
    expect(isAlive(Number(readFileSync(file, 'utf8')))).toBe(false)
    expect((await failureOf(session.result)).code).toBe('EXEC_TIMEOUT')
  })

  it('says that a line did not come in time', async () => {
    const clock = manualClock()
    const { exec, output } = setup({ clock })
    const session = await exec.session('local', { ...talker, stdout: 'log' })
    await session.write('x\n')
    await until(() => output.bytes().length > 10)
    const line = failureOf(session.line(() => true, '30s'))
    clock.advance(30_000)
    expect(await line).toMatchObject({
      code: 'EXEC_NO_LINE',
      message: 'sh did not print the awaited line: it was silent about it for 30.0 s',
    })
    await session[Symbol.asyncDispose]()
  })

  it('says that it ended before the line came, and why', async () => {
    const session = await setup().exec.session('local', { command: ['sh', '-c', 'read x; exit 3'] })
    const line = failureOf(session.line(() => true, '5s'))
    await session.end()
    const error = await line
    expect(error).toMatchObject({ code: 'EXEC_NO_LINE', cause: { code: 'EXEC_FAILED', details: { exitCode: 3 } } })
    expect((await failureOf(session.line(() => true, '5s'))).code).toBe('EXEC_NO_LINE')
  })

  it('fails the wait, not the command, when the match throws', async () => {
    const session = await setup().exec.session('local', talker)
    const line = failureOf(
      session.line(() => {
        throw new Error('bad match')
      }, '5s'),
    )
    await session.write('x\n')
    expect((await line).message).toContain('bad match')
    await session[Symbol.asyncDispose]()
    expect((await session.result).exitCode).toBe(0)
  })

  it('cannot be written to when it has gone, or has an input of its own', async () => {
    const { exec } = setup()
    const gone = await exec.session('local', { command: ['true'] })
    await gone.result
    expect((await failureOf(gone.write('x'))).code).toBe('EXEC_STDIN')
    await gone.end()
    const fed = await exec.session('local', { command: ['cat'], stdin: 'own' })
    expect((await failureOf(fed.write('x'))).code).toBe('EXEC_REQUEST')
    expect((await fed.result).stdout).toBe('own')
  })

  it('ends with everything else', async () => {
    const controller = new AbortController()
    const session = await setup({ signal: controller.signal }).exec.session('local', talker)
    controller.abort(new Error('shutdown'))
    expect((await failureOf(session.result)).code).toBe('EXEC_ABORTED')
    await session[Symbol.asyncDispose]()
  })
})
