// Sessions with fake commands, and what fakes read: as a plugin on the real runner meets them.
import { defineHook, type HookModule, type TargetContext } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { advanceUntil } from '../src/advance-until.ts'
import { createTestRun, type TestRun } from '../src/create-test-run.ts'
import { fakeExec, hangs, ignoresAbort, replies, talks, type FakeCommand } from '../src/fake-exec.ts'
import { memoryStorage } from '../src/memory-storage.ts'

type Context = TargetContext<unknown>

/** A dump that is made while a session holds the server still. */
async function held({ exec, createArtifact }: Context): Promise<void> {
  const session = await exec.session('local', { command: ['psql'] })
  await session.write('start;\n')
  await session.line((line) => line === 'started', '30s')
  await createArtifact('dump', (stdout) => exec.local({ command: ['dump'], stdout }))
  await session.write('stop;\n')
  await session.line((line) => line.startsWith('stopped'), '30s')
  await session.end()
  await session.result
}

function backups(handler: (ctx: Context) => unknown): HookModule {
  return defineHook('backups', handler, { name: 'shop' })
}

async function ranWith(psql: FakeCommand, handler = held): Promise<TestRun> {
  const exec = fakeExec({ psql, dump: replies({ stdout: 'the dump' }) })
  return createTestRun({ use: [backups(handler)], exec })
}

const server = (answers: Readonly<Record<string, string>>): FakeCommand => talks((line) => answers[line])

test('a session is answered line by line', async () => {
  const heard: string[] = []
  const psql = talks((line) => {
    heard.push(line)
    return line === 'start;' ? 'NOTICE: soon\nstarted' : 'stopped at 0/2'
  })
  await using run = await ranWith(psql)
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(heard).toEqual(['start;', 'stop;'])
})

test('a command that only replies has said all of it at its start, and ends with its input', async () => {
  await using run = await ranWith(replies({ stdout: 'started\nstopped\n' }))
  expect((await run.run()).outcome.status).toBe('succeeded')
})

test.each<[what: string, psql: FakeCommand, code: string, message: RegExp]>([
  [
    'says nothing about it',
    server({ 'start;': 'ERROR: no' }),
    'EXEC_NO_LINE',
    /^psql did not print the awaited line: it was silent about it for 30\.0 s$/,
  ],
  [
    'dies instead of an answer',
    talks(() => {
      throw new Error('server closed the connection')
    }),
    'EXEC_NO_LINE',
    /server closed the connection/,
  ],
  [
    'has died when it is written to again',
    async ({ input, print }) => {
      for await (const line of input) {
        print(line === 'start;' ? 'started' : '')
        return { exitCode: 3 }
      }
      return {}
    },
    'EXEC_STDIN',
    /^the input of psql failed: it does not read its input any more$/,
  ],
  ['hangs', hangs(), 'EXEC_NO_LINE', /silent/],
  ['hangs, whatever it is told', ignoresAbort(), 'EXEC_NO_LINE', /silent/],
  [
    'ends badly',
    async ({ input, print }) => {
      for await (const line of input) print(line === 'start;' ? 'started' : 'stopped')
      return { exitCode: 1, stderr: 'lost' }
    },
    'EXEC_FAILED',
    /exited with 1/,
  ],
])('a session that %s fails as a real one', async (_, psql, code, message) => {
  await using run = await ranWith(psql)
  const { outcome } = await advanceUntil(run.clock, run.run())
  expect(outcome.targets[0]?.error).toMatchObject({ code, message: expect.stringMatching(message) })
})

test('a session that is disposed of ends: by the end of its input, or else killed', async () => {
  let isHeld = false
  const psql: FakeCommand = async ({ input }) => {
    isHeld = true
    for await (const line of input) expect(line).toBe('lock')
    isHeld = false
    return {}
  }
  await using run = await ranWith(psql, async ({ exec, createArtifact }) => {
    {
      await using session = await exec.session('local', { command: ['psql'] })
      await session.write('lock')
      await createArtifact('dump', (stdout) => exec.local({ command: ['dump'], stdout }))
      expect(isHeld).toBe(true)
    }
    expect(isHeld).toBe(false)
  })
  expect((await run.run()).outcome.status).toBe('succeeded')

  let killed: unknown
  await using other = await ranWith(hangs(), async ({ exec, createArtifact }) => {
    const session = await exec.session('local', { command: ['psql'] })
    await createArtifact('dump', (stdout) => exec.local({ command: ['dump'], stdout }))
    await session[Symbol.asyncDispose]()
    killed = await session.result.catch((error: unknown) => error)
  })
  expect((await other.run()).outcome.status).toBe('succeeded')
  expect(killed).toMatchObject({ code: 'EXEC_TIMEOUT' })
})

test('other commands print and read lines, too', async () => {
  const sort: FakeCommand = async ({ input, print }) => {
    const lines: string[] = []
    for await (const line of input) lines.push(line)
    for (const line of lines.toSorted()) print(line)
    return { stdout: 'end' }
  }
  let sorted: string | undefined
  const hook = backups(async ({ exec, createArtifact }) => {
    sorted = (await exec.local({ command: ['sort'], stdin: 'b\na\n' })).stdout
    await createArtifact('dump', (sink) => sink.write(Buffer.from('x')))
  })
  await using run = await createTestRun({ use: [hook], exec: fakeExec({ sort }) })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(sorted).toBe('a\nb\nend')
})

test('what a fake does not read of its input is read for it: what is wrong with it is heard of', async () => {
  const storage = memoryStorage()
  const verify = defineHook(
    'verifyBackups',
    async ({ exec, points, openArtifact }) => {
      storage.fail({ corrupt: (key, bytes) => (key.includes('.data') ? bytes.map((byte) => byte ^ 1) : bytes) })
      for (const { id } of points) await exec.local({ command: ['tar', '-t'], stdin: openArtifact(id) })
    },
    { name: 'verify' },
  )
  const dump = backups(({ createArtifact }) => createArtifact('dump', (sink) => sink.write(Buffer.alloc(100_000, 'x'))))
  const config = { storage, encoding: { compression: 'none' } } as const
  await using run = await createTestRun({ use: [dump, verify], exec: fakeExec({ tar: replies() }), config })
  expect((await run.run()).outcome.targets[0]?.verification).toBe('unverified')
  expect(run.journal).toContain('verifyBackups verify shop failed ARTIFACT_DIGEST')
})
