import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ExecRequest } from '@holdfast/sdk'
import { testClock } from '@holdfast/testing'
import { db, setUp, sh } from './container-support.ts'
import { failureOf, scratch, until } from './support.ts'

const talker: ExecRequest = {
  command: sh('while read word; do echo "done: $word"; echo "note: $word" >&2; done; echo given back'),
}

describe('exec.session in a container', () => {
  it('talks: a line for a word', async () => {
    const session = await (await setUp()).exec.session(db, talker)
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
    const { exec, server } = await setUp()
    const session = await exec.session({ selector: 'app=db', container: 'postgres' }, talker)
    await session[Symbol.asyncDispose]()
    expect((await session.result).stdout).toBe('given back\n')
    expect(server.execs.map(({ stdin }) => stdin)).toEqual(['half-closed'])
  })

  it('is killed at its disposal when it does not listen', async () => {
    const { exec, server } = await setUp({ killGraceMs: 100 })
    const session = await exec.session(db, { command: sh("trap '' TERM; echo up; sleep 86400") })
    await session.line((line) => line === 'up', '5s')
    await session[Symbol.asyncDispose]()
    expect(await failureOf(session.result)).toMatchObject({ code: 'EXEC_TIMEOUT', details: { remote: 'killed' } })
    expect(server.execs[0]?.running).toBe(false)
  })

  it('gives its very first line to whoever asks at once', async () => {
    const { exec } = await setUp()
    for (let at = 0; at < 20; at++) {
      const session = await exec.session(db, { command: sh('echo up; read x') })
      expect(await session.line((line) => line === 'up', '5s')).toBe('up')
      await session[Symbol.asyncDispose]()
    }
  })

  it('works without a shell, too', async () => {
    const { exec } = await setUp({ container: { shell: false } })
    const session = await exec.session(db, { command: ['cat'] })
    const line = session.line((each) => each === 'word', '5s')
    await session.write('word\n')
    expect(await line).toBe('word')
    await session[Symbol.asyncDispose]()
    expect((await session.result).stdout).toBe('word\n')
  })

  it('says that a line did not come in time, and that it ended before the line came', async () => {
    const clock = testClock()
    const { exec } = await setUp({ clock })
    const session = await exec.session(db, { command: sh('read x; exit 3') })
    const late = failureOf(session.line(() => true, '30s'))
    await clock.advance('30s')
    expect((await late).code).toBe('EXEC_NO_LINE')
    const ended = failureOf(session.line(() => true, '5m'))
    await session.write('x\n')
    expect(await ended).toMatchObject({
      code: 'EXEC_NO_LINE',
      cause: { code: 'EXEC_FAILED', details: { exitCode: 3 } },
    })
    await until(() => clock.pending === 0)
    expect((await failureOf(session.write('x'))).code).toBe('EXEC_STDIN')
  })

  it('whose connection is lost may still give back before anything is killed', async () => {
    const directory = scratch()
    const { exec, server } = await setUp({ killGraceMs: 2000, container: { directory } })
    server.misbehaveExec({ times: 1 }, { kind: 'reset', afterBytes: 3 })
    const session = await exec.session(db, {
      // The end of its input is all that it hears of the loss.
      command: sh("trap 'exit 9' TERM; echo up; while read word; do :; done; sleep 0.3; touch given-back"),
    })
    expect(await failureOf(session.result)).toMatchObject({ code: 'EXEC_LOST', details: { remote: 'gone' } })
    expect(existsSync(join(directory, 'given-back'))).toBe(true)
  })

  it('cannot be started: the call rejects, not the result', async () => {
    const { exec } = await setUp()
    expect((await failureOf(exec.session({ pod: 'none', container: 'x' }, talker))).code).toBe('EXEC_NO_POD')
    expect((await failureOf(exec.session(db, { ...talker, cwd: '/nowhere' }))).code).toBe('EXEC_NOT_FOUND')
  })

  it('ends with everything else', async () => {
    const controller = new AbortController()
    const { exec, server } = await setUp({ signal: controller.signal })
    const session = await exec.session(db, talker)
    controller.abort(new Error('shutdown'))
    expect((await failureOf(session.result)).code).toBe('EXEC_ABORTED')
    await session[Symbol.asyncDispose]()
    expect(server.execs[0]?.running).toBe(false)
  })
})
