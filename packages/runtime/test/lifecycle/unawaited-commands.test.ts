// Commands and undos that a hook begins and does not wait for: what comes behind it never comes too early, and nothing of it
// goes unnoticed.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineHook, defineUndo, type HookModule, type RunContext } from '@holdfast/sdk'
import { advanceUntil, type TestRun } from '@holdfast/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { anything, backup, effects } from './hooks.ts'
import { testRun } from './test-run.ts'

type Context = RunContext<unknown>

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'unawaited-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const before = (handler: (ctx: Context) => unknown, undos: Parameters<typeof defineHook>[2] = {}): HookModule =>
  defineHook('beforeBackups', handler, { name: 'before', ...undos })
const during = (seen: () => unknown): HookModule => defineHook('backups', () => seen(), { name: 'during' })
const shell = (script: string) => ({ command: ['sh', '-c', script] }) as const

async function result(run: Awaited<ReturnType<typeof testRun>>) {
  const { outcome } = await advanceUntil(run.clock, run.run())
  const told = run.events.flatMap((event) => (event.type === 'warning' ? [event.error.code] : []))
  return { outcome, told }
}

describe('a command that nobody waits for', () => {
  test('is waited for, and told: the backup does not begin before all stands still', async () => {
    const still = join(directory(), 'still')
    const seen: boolean[] = []
    const run = await testRun([
      before((ctx) => {
        void ctx.exec.local(shell(`sleep 0.05; touch ${still}`))
      }),
      during(() => seen.push(existsSync(still))),
    ])
    expect(await result(run)).toMatchObject({ outcome: { status: 'succeeded' }, told: ['EXEC_NOT_AWAITED'] })
    expect(seen).toEqual([true])
  })

  test('nor for the function that runs it: so are those that it runs afterwards', async () => {
    const still = join(directory(), 'still')
    const seen: boolean[] = []
    const freeze = async ({ exec }: Context): Promise<void> => {
      await exec.local(shell('true'))
      await exec.local(shell(`sleep 0.05; touch ${still}`))
    }
    const run = await testRun([before((ctx) => void freeze(ctx)), during(() => seen.push(existsSync(still)))])
    const { outcome, told } = await result(run)
    expect(outcome.status).toBe('succeeded')
    expect(new Set(told)).toEqual(new Set(['EXEC_NOT_AWAITED']))
    expect(seen).toEqual([true])
  })

  test('and that ended badly fails its hook, also long before the hook returned', async () => {
    const run = await testRun([
      before(async ({ exec }) => {
        void exec.local(shell('exit 3'))
        await exec.local(shell('sleep 0.1'))
      }),
      backup({}),
    ])
    expect((await result(run)).outcome).toMatchObject({
      status: 'failed',
      error: { code: 'EXEC_FAILED', details: { exitCode: 3 } },
    })
  })

  test('that is run many times is told once', async () => {
    const run = await testRun([
      before(({ exec }) => {
        for (let count = 0; count < 20; count++) void exec.local({ command: ['true'] })
      }),
      backup({}),
    ])
    expect(await result(run)).toMatchObject({ outcome: { status: 'succeeded' }, told: ['EXEC_NOT_AWAITED'] })
  })

  test.each<[when: string, stop: (run: TestRun) => Promise<unknown>, code: string]>([
    ['after the time of its hook', (run) => run.clock.advance('5m'), 'HOOK_TIMEOUT'],
    ['when the daemon is told to stop', (run) => run.engine.shutdown(30_000), 'RUN_ABORTED'],
  ])('and that would go on for ever is ended %s, and all is given back', async (_, stop, code) => {
    const { undo, held } = effects()
    const started = join(directory(), 'started')
    const run = await testRun([
      before(
        async (ctx) => {
          await ctx.undo.arm(undo, 'frozen')
          held.add('frozen')
          void ctx.exec.local(shell(`touch ${started}; exec sleep 1000`))
        },
        { undos: [undo] },
      ),
      backup({}),
    ])
    const going = run.run()
    await vi.waitFor(() => expect(existsSync(started)).toBe(true))
    const stopped = stop(run)
    expect((await going).outcome).toMatchObject({ error: { code } })
    expect(held.size).toBe(0)
    await stopped
  })

  test('is stopped when its hook fails', async () => {
    const path = join(directory(), 'late')
    const run = await testRun([
      before(({ exec }) => Promise.all([exec.local(shell(`sleep 30; touch ${path}`)), exec.local(shell('exit 3'))])),
      backup({}),
    ])
    expect((await result(run)).outcome).toMatchObject({ error: { code: 'EXEC_FAILED', details: { exitCode: 3 } } })
    expect(existsSync(path)).toBe(false)
  })

  test('but whose failure it takes, fails nothing; what it throws instead does', async () => {
    const fails = shell('sleep 0.05; exit 3')
    const run = async (handler: (error: unknown) => void) =>
      result(await testRun([before(({ exec }) => void exec.local(fails).catch(handler)), backup({})]))
    expect(await run(() => {})).toMatchObject({ outcome: { status: 'succeeded' }, told: ['EXEC_NOT_AWAITED'] })
    const instead = await run(() => {
      throw new Error('not frozen')
    })
    expect(instead.outcome).toMatchObject({
      status: 'failed',
      error: { message: expect.stringMatching(/not frozen$/) },
    })
  })

  test('by an undo: what it takes back is not taken back before that', async () => {
    const [frozen, tries] = [join(directory(), 'frozen'), [] as number[]]
    const thaw = defineUndo({
      name: 'thaw',
      input: anything<null>(),
      deadline: '2m',
      run(_, { exec, attempt }) {
        tries.push(attempt)
        void exec.local(shell(attempt === 1 ? 'sleep 0.05; exit 1' : `rm ${frozen}`))
      },
    })
    const run = await testRun([
      before(
        async ({ undo, exec }) => {
          await undo.arm(thaw, null)
          await exec.local(shell(`touch ${frozen}`))
        },
        { undos: [thaw] },
      ),
      backup({}),
    ])
    expect((await result(run)).outcome.status).toBe('succeeded')
    expect(tries).toEqual([1, 2])
    expect(existsSync(frozen)).toBe(false)
  })
})

// By real time: what is killed when nobody waits any more, must not be so in no time.
describe('what goes on beside something that failed', () => {
  const failed = { outcome: { status: 'failed', error: { code: 'EXEC_FAILED', details: { exitCode: 3 } } } }

  test('gives back in a `finally`: that is waited for', async () => {
    const path = directory()
    const run = await testRun([
      before(({ exec }) => {
        const other = async (): Promise<void> => {
          await exec.local(shell(`touch ${path}/frozen`))
          try {
            await exec.local(shell(`touch ${path}/copying; sleep 30`))
          } finally {
            await exec.local(shell(`sleep 0.05; rm ${path}/frozen`))
          }
        }
        return Promise.all([exec.local(shell(`until [ -e ${path}/copying ]; do sleep 0.01; done; exit 3`)), other()])
      }),
      backup({}),
    ])
    expect(await run.run()).toMatchObject(failed)
    expect([existsSync(`${path}/copying`), existsSync(`${path}/frozen`)]).toEqual([true, false])
  })

  test('takes nothing more after all was given back', async () => {
    const path = directory()
    const thaw = defineUndo({
      name: 'thaw',
      input: anything<null>(),
      deadline: '2m',
      run: async (_, { exec }) => void (await exec.local(shell(`rm -f ${path}/frozen; touch ${path}/thawed`))),
    })
    const run = await testRun([
      before(
        ({ undo, exec }) => {
          const one = exec.local(shell('exit 3'))
          const other = async (): Promise<void> => {
            await one.catch(() => {})
            await undo.arm(thaw, null)
            await exec.local(shell(`sleep 0.05; touch ${path}/frozen`))
          }
          return Promise.all([one, other()])
        },
        { undos: [thaw] },
      ),
      backup({}),
    ])
    expect(await run.run()).toMatchObject(failed)
    expect([existsSync(`${path}/thawed`), existsSync(`${path}/frozen`)]).toEqual([true, false])
  })

  test('is told to end when it goes on for ever, and then all is given back', async () => {
    const path = join(directory(), 'clean')
    const run = await testRun([
      before(({ exec, defer }) => {
        defer('clean up', () => exec.local(shell(`touch ${path}`)))
        const other = async (): Promise<void> => {
          await exec.local(shell('sleep 30')).catch(() => {})
          await exec.local(shell('sleep 30'))
        }
        return Promise.all([exec.local(shell('exit 3')), other()])
      }),
      backup({}),
    ])
    expect(await advanceUntil(run.clock, run.run())).toMatchObject(failed)
    expect(existsSync(path)).toBe(true)
  })
})

describe('a command with a signal of its own', () => {
  test('goes on beside the backups, until it is told to stop: nothing is said of it', async () => {
    const path = directory()
    const seen: boolean[] = []
    const run = await testRun([
      before(async ({ exec, defer }) => {
        const stop = new AbortController()
        const tunnel = exec.local({ ...shell(`touch ${path}/up; sleep 30`), signal: stop.signal })
        tunnel.catch(() => seen.push(false))
        defer('tunnel', () => stop.abort())
        await exec.local(shell(`until [ -e ${path}/up ]; do sleep 0.01; done`))
      }),
      during(() => seen.push(true)),
    ])
    expect(await result(run)).toMatchObject({ outcome: { status: 'succeeded' }, told: [] })
    expect(seen).toEqual([true, false])
  })

  test('is ended with what its hook took, and told, when nobody stops it', async () => {
    const ended: unknown[] = []
    const run = await testRun([
      before(({ exec }) => {
        exec.local({ ...shell('sleep 30'), signal: new AbortController().signal }).catch((error) => ended.push(error))
      }),
      backup({}),
    ])
    expect(await result(run)).toMatchObject({ outcome: { status: 'succeeded' }, told: ['EXEC_LEFT_RUNNING'] })
    expect(ended).toMatchObject([{ code: 'EXEC_ABORTED' }])
  })

  test('a clean-up may still run commands, also after its hook took too long, and where it does not wait for them', async () => {
    const path = directory()
    const run = await testRun([
      defineHook('beforeBackups', {
        timeout: '5s',
        async handler({ exec, defer }) {
          defer('clean up', () => exec.local(shell(`touch ${path}/waited`)))
          defer('clean up', () => void exec.local(shell(`sleep 0.05; touch ${path}/unwaited`)))
          run.clock.advance('5s').catch(() => {})
          await exec.local(shell('sleep 30'))
        },
      }),
      backup({}),
    ])
    expect(await run.run()).toMatchObject({ outcome: { error: { code: 'HOOK_TIMEOUT' } } })
    expect([existsSync(`${path}/waited`), existsSync(`${path}/unwaited`)]).toEqual([true, true])
  })

  test('a clean-up may still run commands', async () => {
    const path = join(directory(), 'clean')
    const run = await testRun([
      before(({ exec, defer }) => defer('clean up', () => exec.local(shell(`touch ${path}`)))),
      backup({}),
    ])
    expect(await result(run)).toMatchObject({ outcome: { status: 'succeeded' }, told: [] })
    expect(existsSync(path)).toBe(true)
  })
})

describe('a session', () => {
  test.each([
    ['that is ended when the backups are over: nothing is said of it', true, []],
    ['that nobody ends is ended, and told', false, ['EXEC_LEFT_RUNNING']],
  ])('%s', async (_, isEnded, expected) => {
    const path = join(directory(), 'released')
    const seen: boolean[] = []
    const run = await testRun([
      before(async ({ exec, defer }) => {
        // What a session is for: it gives back when its input ends.
        const session = await exec.session('local', shell(`cat; touch ${path}`))
        session.result.catch(() => {})
        if (isEnded) defer('session', () => session.end())
      }),
      during(() => seen.push(existsSync(path))),
    ])
    expect(await result(run)).toMatchObject({ outcome: { status: 'succeeded' }, told: expected })
    expect(seen).toEqual([false])
    expect(existsSync(path)).toBe(true)
  })
})

describe('an undo that is armed, and nobody waits for it', () => {
  test.each([
    ['although it was on record in time', async ({ exec }: Context) => void (await exec.local(shell('sleep 0.02')))],
    ['and that was not on record when its hook returned', () => {}],
  ])('fails its hook, and is taken back at once: %s', async (_, then) => {
    const { undo, held, order } = effects()
    const called: string[] = []
    const run = await testRun([
      before(
        async (ctx) => {
          void ctx.undo.arm(undo, 'frozen')
          held.add('frozen')
          await then(ctx)
        },
        { undos: [undo] },
      ),
      backup({ called }),
    ])
    expect((await result(run)).outcome).toMatchObject({ status: 'failed', error: { code: 'UNDO_NOT_AWAITED' } })
    expect(order).toEqual(['frozen'])
    expect(held.size).toBe(0)
    expect(called).not.toContain('backups')
  })
})
