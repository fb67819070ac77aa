import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { failureOf, scratch, script, setup } from './support.ts'

const directory = scratch()

describe('fault F8: what cannot be started says why', () => {
  const sh = '#!/bin/sh\necho ran\n'

  it.each([
    ['a missing program', () => ['no-such-program'], 'EXEC_NOT_FOUND', 'there is no such program in PATH'],
    ['a missing file', () => [join(directory, 'absent')], 'EXEC_NOT_FOUND', 'there is no such file'],
    ['a path through a file', () => ['/etc/passwd/x'], 'EXEC_NOT_FOUND', 'there is no such file'],
    [
      'a missing interpreter',
      () => [script(directory, 'a', '#!/opt/nope -x\n')],
      'EXEC_NOT_FOUND',
      'its interpreter /opt/nope is not there',
    ],
    ['CR LF', () => [script(directory, 'b', '#!/bin/sh\r\necho\r\n')], 'EXEC_NOT_FOUND', 'its lines end in CR LF'],
    ['no execute bit', () => [script(directory, 'c', sh, 0o644)], 'EXEC_NOT_EXECUTABLE', 'it has no execute bit'],
    ['a directory', () => [directory], 'EXEC_NOT_EXECUTABLE', 'it is a directory'],
    ['no #!', () => [script(directory, 'd', 'echo ran\n')], 'EXEC_FORMAT', 'it is a script without #!'],
    ['an empty file', () => [script(directory, 'e', '')], 'EXEC_FORMAT', 'it is a script without #!'],
    ['arguments that are too long', () => ['echo', 'x'.repeat(300_000)], 'EXEC_START', 'E2BIG'],
  ])('%s', async (_, make, code, reason) => {
    const { exec } = setup()
    const error = await failureOf(exec.local({ command: make() as [string] }))
    expect(error.code).toBe(code)
    expect(error.message).toContain(reason)
    expect(error.message).not.toContain('\n')
    expect(error.hint).toContain('Nothing was run.')
  })

  it('a missing working directory', async () => {
    const error = await failureOf(setup().exec.local({ command: ['echo'], cwd: '/no/such/place' }))
    expect(error).toMatchObject({
      code: 'EXEC_NOT_FOUND',
      message: 'echo cannot be started: the working directory /no/such/place does not exist',
    })
  })

  it('a script is found relative to the working directory', async () => {
    script(directory, 'here', sh)
    expect((await setup().exec.local({ command: ['./here'], cwd: directory })).stdout).toBe('ran\n')
  })

  it('a start that failed leaves no descriptor open', async () => {
    const { exec } = setup()
    const count = async (): Promise<number> =>
      Number((await exec.local({ command: ['sh', '-c', `ls /proc/${process.pid}/fd | wc -l`] })).stdout)
    await count()
    const before = await count()
    for (let again = 0; again < 20; again++) {
      await failureOf(exec.local({ command: ['no-such-program'], stdin: 'x' }))
      await failureOf(exec.pipeline([{ command: ['yes'] }, { command: ['no-such-program'] }, { command: ['cat'] }]))
      await exec.pipeline([{ command: ['echo'] }, { command: ['cat'] }])
      await exec.local({ command: ['cat'], stdin: 'x' })
    }
    // The pool of pipes may have grown by a few.
    expect(await count()).toBeLessThanOrEqual(before + 12)
  })
})
