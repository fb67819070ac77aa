// Whatever the API server does, what was taken is given back, and nothing that needs no API waits for it.
import type { HookModule } from '@holdfast/sdk'
import { advanceUntil, testClock, type FakeKubernetes, type TestClock } from '@holdfast/testing'
import { beforeEach, expect, test } from 'vitest'
import { effects } from '../lifecycle/hooks.ts'
import { holder, idler } from './holders.ts'
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

const silent = (): void => void server.misbehave({ path: /./ }, 'half-open')

/** How long something takes by this clock. */
async function timeOf(clock: TestClock, work: Promise<unknown>, step = '20ms' as const): Promise<number> {
  const began = clock.monotonic()
  await advanceUntil(clock, work, step)
  return clock.monotonic() - began
}

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

test.each([
  ['silent', silent],
  ['down', () => server.down()],
] as const)('fault F29: at start a %s API server is waited for a second in all', async (_, become) => {
  const first = await start(hold(['a', 'b', 'c']))
  void first.engine.run('shop')
  await until(() => world.held.size === 3)
  const { stateDirectory } = first
  const { boot, host, pod } = first.engine.services.process
  first.end()
  await become()
  const clock = testClock()
  const again = await start(idle(), { stateDirectory, uid: pod ?? '', clock, process: { boot, host } })
  expect(
    await timeOf(
      clock,
      again.engine.recover().then(() => again.engine.finishRecovery()),
    ),
  ).toBeLessThan(1800)
  expect(world.held.size).toBe(0)
})

test('who we are is asked again when it could not be asked at first: else nobody could tell that we are gone', async () => {
  const clock = testClock()
  const bad = server.misbehave({ path: /pods/ }, { status: 503 })
  const owner = await start(hold(['a']), { pod: 'web-a', clock })
  await advanceUntil(clock, owner.engine.recover(), '20ms')
  bad.end()
  await clock.advance('1m')
  void owner.engine.run('shop')
  for (let round = 0; round < 2000 && !world.held.has('a'); round++) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    await clock.advance('1ms')
  }
  expect(world.held.has('a')).toBe(true)
  server.objects.remove('pods', 'shop', 'web-a')
  const other = await start(idle(), { pod: 'web-b' })
  expect((await other.engine.recover()).undos).toMatchObject([{ result: 'done' }])
})

test('a leader takes over though the API server could not be asked at its start', async () => {
  const first = await start(hold(['a']), { pod: 'web-a' })
  void first.engine.run('shop')
  await until(() => world.held.has('a'))
  const clock = testClock()
  await server.down()
  const next = await start(idle(), { pod: 'web-b', clock })
  await advanceUntil(clock, next.engine.recover(), '20ms')
  await server.up()
  const processes = [first.engine.services.process.id]
  const taking = next.engine.takeOver({ processes, runs: [], isLeading: () => true })
  expect((await advanceUntil(clock, taking, '20ms')).undos).toMatchObject([{ result: 'done' }])
})

test('fault F29: a person who asks for it does not wait for the API server', async () => {
  const first = await start(hold(['a']))
  void first.engine.run('shop')
  await until(() => world.held.has('a'))
  const { stateDirectory } = first
  first.end()
  silent()
  const clock = testClock()
  const { engine } = await start(idle(), { stateDirectory, clock })
  const only = engine.journal.pendingUndos().map(({ id }) => id)
  expect(await timeOf(clock, engine.runUndos({ only }))).toBeLessThan(1800)
  expect(world.held.size).toBe(0)
})

test('an API server that is away all day is talked of once', async () => {
  await server.down()
  const clock = testClock()
  const { engine, log } = await start(idle(), { clock })
  await advanceUntil(clock, engine.recover(), '50ms')
  for (let look = 0; look < 3; look++) await advanceUntil(clock, engine.recoverOrphans(), '50ms')
  expect(log.filter((line) => line.includes('"level":"error"') && line.includes('looked for again'))).toHaveLength(1)
})

test('a look for orphans does not keep a process from stopping', async () => {
  const clock = testClock()
  const { engine } = await start(idle(), { clock })
  await advanceUntil(clock, engine.recover(), '1ms')
  silent()
  const looking = engine.recoverOrphans()
  await until(() => server.requests.some(({ status }) => status === undefined))
  expect(await timeOf(clock, engine.shutdown(25_000))).toBeLessThan(1000)
  await advanceUntil(clock, looking, '1s')
})
