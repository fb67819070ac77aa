// The critical metric is raised for what nobody gives back, and goes down whoever does.
import { defineHook, type HookModule } from '@holdfast/sdk'
import { advanceUntil, testClock, type FakeKubernetes } from '@holdfast/testing'
import { beforeEach, expect, test } from 'vitest'
import { effects } from '../lifecycle/hooks.ts'
import { holder, idler, putNewerUndo } from './holders.ts'
import { startContainer, until, type StartOptions, type Started } from './pods.ts'
import { serve } from './support.ts'

let server: FakeKubernetes
let world: ReturnType<typeof effects>
beforeEach(async () => {
  server = await serve({ namespace: 'shop' })
  world = effects()
})

const start = (use: HookModule, more: Partial<StartOptions> = {}): Promise<Started> =>
  startContainer({ server, use: [use], ...more })

const hold = (names: readonly string[], meanwhile?: () => unknown): HookModule => holder(world, names, meanwhile)
const idle = (): HookModule => idler(world)

test('the critical metric goes down when the owner of what nobody could tell has given it back', async () => {
  const go = Promise.withResolvers<void>()
  const owner = await start(
    hold(['a'], () => go.promise),
    { pod: 'web-a' },
  )
  const running = owner.engine.run('shop')
  await until(() => world.held.has('a'))
  const denied = server.misbehave({ path: /pods\/web-a/ }, { status: 403 })
  const other = await start(idle(), { pod: 'web-b' })
  await other.engine.recover()
  expect(await other.metrics.text()).toMatch(/holdfast_undos_pending\{kind="release"\} 1/)
  denied.end()
  go.resolve()
  await running
  await other.engine.recoverOrphans()
  expect(await other.metrics.text()).toMatch(/holdfast_undos_pending\{kind="release"\} 0/)
})

test('the critical metric goes down when another process has given it back', async () => {
  const first = await start(hold(['a']))
  void first.engine.run('shop')
  await until(() => world.held.has('a'))
  const { stateDirectory } = first
  first.end()
  const clock = testClock()
  const stuck = await start(
    defineHook('maintain', () => {}, {
      name: 'quiesce',
      undos: [{ ...world.undo, deadline: '1s', run: () => Promise.reject(new Error('not now')) }],
    }),
    { stateDirectory, clock },
  )
  await advanceUntil(clock, stuck.engine.recover(), '20ms')
  expect(await stuck.metrics.text()).toMatch(/holdfast_undos_pending\{kind="release"\} 1/)
  const person = await start(idle(), { stateDirectory })
  expect(await person.engine.runUndos({})).toMatchObject([{ result: 'done' }])
  expect(await stuck.metrics.text()).toMatch(/holdfast_undos_pending\{kind="release"\} 0/)
})

test('an undo in the cluster that can not be read raises the critical metric, and is talked of once', async () => {
  putNewerUndo(server)
  const { engine, metrics, log } = await start(idle())
  await engine.recover()
  await engine.recoverOrphans()
  expect(await metrics.text()).toMatch(/holdfast_undos_pending\{kind="unreadable"\} 1/)
  expect(log.filter((line) => line.includes('"level":"error"') && line.includes('has schema 2'))).toHaveLength(1)
  server.objects.remove('configmaps', 'shop', 'holdfast-undo-x')
  await engine.recoverOrphans()
  expect(await metrics.text()).toMatch(/holdfast_undos_pending\{kind="unreadable"\} 0/)
})

test('what a process gives back late itself was not recovered: nobody was gone', async () => {
  let fails = true
  const undo = {
    ...world.undo,
    deadline: '1s' as const,
    run() {
      if (fails) throw new Error('not now')
    },
  }
  const hook = defineHook(
    'maintain',
    async (ctx) => {
      if (fails) await ctx.undo.arm(undo, 'a')
    },
    { name: 'quiesce', undos: [undo] },
  )
  const clock = testClock()
  const { engine, metrics } = await start(hook, { clock })
  await advanceUntil(clock, engine.recover(), '5ms')
  await advanceUntil(clock, engine.run('shop'), '20ms')
  fails = false
  await advanceUntil(clock, engine.run('shop'), '20ms')
  expect(engine.journal.pendingUndos()).toEqual([])
  expect(await metrics.text()).toMatch(/holdfast_undos_recovered_total\{kind="release"\} 0/)
})
