// The critical metric is raised for what nobody gives back, and goes down whoever does.
import { defineHook, type HookModule } from '@holdfast/sdk'
import { advanceUntil, testClock, type FakeKubernetes } from '@holdfast/testing'
import { beforeEach, expect, test } from 'vitest'
import { effects } from '../lifecycle/hooks.ts'
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

/** A hook module that takes these, one after the other, and then does something. */
function hold(names: readonly string[], meanwhile: () => unknown = () => new Promise(() => {})): HookModule {
  return defineHook(
    'maintain',
    async (ctx) => {
      for (const name of names) {
        await ctx.undo.arm(world.undo, name)
        world.held.add(name)
      }
      await meanwhile()
    },
    { name: 'quiesce', undos: [world.undo] },
  )
}

const idle = (): HookModule => defineHook('maintain', () => {}, { name: 'quiesce', undos: [world.undo] })

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
