// Whatever the API server does, what was taken is given back, and nothing that needs no API waits for it.
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

const silent = (): void => void server.misbehave({ path: /./ }, 'half-open')

test('fault F29: many undos at thaw wait for a silent API server a second in all, not each of them', async () => {
  const clock = testClock()
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const { engine } = await start(hold(names, silent), { clock })
  await advanceUntil(clock, engine.recover(), '1ms')
  const running = engine.run('shop')
  await until(() => server.requests.some(({ name }) => name.startsWith('holdfast-claim-')))
  const began = clock.monotonic()
  for (let round = 0; round < 2000 && world.order.length < names.length; round++) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    await clock.advance('20ms')
  }
  expect(clock.monotonic() - began).toBeLessThan(2000)
  await advanceUntil(clock, running, '100ms')
})

test('what could not be removed while others waited is removed at the end of the run', async () => {
  const clock = testClock()
  const slow = (): void => void server.misbehave({ method: 'DELETE', path: /holdfast-undo-/, times: 1 }, 'half-open')
  const { engine } = await start(hold(['a', 'b'], slow), { clock })
  await advanceUntil(clock, engine.recover(), '1ms')
  expect((await advanceUntil(clock, engine.run('shop'), '20ms')).outcome.status).toBe('succeeded')
  expect(world.order).toEqual(['b', 'a'])
  expect(server.objects.list('configmaps', 'shop')).toEqual([])
})
