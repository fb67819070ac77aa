import { advanceUntil, memoryStorage, testClock, type MemoryStorage, type TestClock } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { claimStore, type StoreClaim } from '../../src/artifacts/owner.ts'
import { captureLog, failure, signal } from './support.ts'

interface World {
  readonly memory: MemoryStorage
  readonly clock: TestClock
  readonly log: ReturnType<typeof captureLog>
  claim(stateId: string, changes?: Partial<Parameters<typeof claimStore>[0]>): Promise<StoreClaim>
}

function world(): World {
  const memory = memoryStorage()
  const clock = testClock({ now: '2026-11-23T03:00:00Z' })
  const log = captureLog()
  return {
    memory,
    clock,
    log,
    claim: (stateId, changes = {}) =>
      advanceUntil(
        clock,
        claimStore({
          driver: memory,
          instance: 'default',
          plan: 'shop',
          holder: { stateId, host: `host-${stateId}` },
          run: `run-${stateId}`,
          clock,
          log,
          ...changes,
        }),
        '2s',
      ),
  }
}

const recordKey = (stateId: string): string => `default/shop/.owner/${stateId}~host-${stateId}.json`
const record = (memory: MemoryStorage, stateId: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(memory.objects.get(recordKey(stateId))!).toString()) as Record<string, unknown>
async function write(memory: MemoryStorage, stateId: string, change: Record<string, unknown>): Promise<void> {
  const text = JSON.stringify({
    schema: 1,
    holder: { stateId, host: `host-${stateId}` },
    run: `run-${stateId}`,
    claim: `claim-${stateId}`,
    phase: 'claimed',
    number: 1,
    at: '2026-11-23T03:00:00.000Z',
    took: [],
    ...change,
  })
  await memory.put(recordKey(stateId), [Buffer.from(text)] as never, { signal })
}

test('fault F13: a second holder is turned away, and told by whom', async () => {
  const { claim, memory, clock } = world()
  const first = await claim('a')
  expect(record(memory, 'a')).toMatchObject({
    run: 'run-a',
    phase: 'claimed',
    holder: { stateId: 'a', host: 'host-a' },
  })
  await clock.advance('30s')
  const error = await failure(claim('b'))
  expect(error.code).toBe('STORE_OWNED')
  expect(error.message).toContain('host-a (state a) (run run-a, seen 30.0 s ago)')
  // Nothing of the loser is left in anybody's way.
  expect([...memory.objects.keys()]).toEqual([recordKey('a')])
  expect(first.lost.aborted).toBe(false)
})

test('a claim is renewed every minute, and stays as long as it is', async () => {
  const { claim, memory, clock } = world()
  const first = await claim('a')
  for (let minutes = 0; minutes < 60; minutes += 4) {
    await clock.advance('4m')
    expect((await failure(claim('b'))).code).toBe('STORE_OWNED')
  }
  expect(record(memory, 'a')['at']).toBe(
    new Date(clock.now().getTime() - (clock.now().getTime() % 60_000)).toISOString(),
  )
  expect(first.lost.aborted).toBe(false)
})

test('a freed store is taken at once, and its last user is named', async () => {
  const { claim, memory, clock, log } = world()
  const first = await claim('a')
  await first.release()
  await first.release()
  expect(record(memory, 'a')).toMatchObject({ phase: 'free', number: 0 })
  expect(clock.pending).toBe(0)
  const second = await claim('b')
  expect(log.warnings).toEqual([
    'the store of plan "shop" was last used by host-a (state a); if that is another installation, give it an instance name of its own',
  ])
  expect([...memory.objects.keys()]).toEqual([recordKey('b')])
  await second.release()
})

test('a holder takes its own store again at once, also after it was killed', async () => {
  const { claim, clock, log } = world()
  const killed = await claim('a')
  await clock.advance('10s')
  const again = await claim('a')
  expect(log.warnings).toEqual([])
  // The killed one, if it were alive after all, would notice.
  await clock.advance('1m')
  expect(killed.lost.reason).toMatchObject({ code: 'STORE_LOST' })
  expect(again.lost.aborted).toBe(false)
})

test('the state of one pod in another pod is another holder', async () => {
  const { claim } = world()
  await claim('a', { holder: { stateId: 'a', host: 'h', podUid: 'pod-1' } })
  expect((await failure(claim('a', { holder: { stateId: 'a', host: 'h', podUid: 'pod-2' } }))).code).toBe('STORE_OWNED')
})

test('plans and instances do not get in each other’s way', async () => {
  const { claim } = world()
  await claim('a')
  await claim('b', { plan: 'mail' })
  await claim('c', { instance: 'other' })
  expect((await failure(claim('d'))).code).toBe('STORE_OWNED')
})

describe('who is dead', () => {
  test.each([
    ['seen 4 minutes ago: alive', '2026-11-23T02:56:00Z', true],
    ['seen 5 minutes ago: dead', '2026-11-23T02:55:00Z', false],
    ['seen a year ago: dead', '2025-11-23T03:00:00Z', false],
    ['seen in 4 minutes: alive, its clock is ahead', '2026-11-23T03:04:00Z', true],
  ])('%s', async (_name, at, alive) => {
    const { claim, memory, log } = world()
    await write(memory, 'x', { at })
    if (alive) {
      expect((await failure(claim('a'))).code).toBe('STORE_OWNED')
      return
    }
    await claim('a')
    expect(log.warnings.join()).toContain(`taken over from host-x (state x), which has not been seen since ${at}`)
    expect(memory.objects.has(recordKey('x'))).toBe(false)
    expect(record(memory, 'a')['took']).toEqual(['claim-x'])
  })

  test('seen in a year: whoever renews is alive, whoever does not is dead', async () => {
    const dead = world()
    await write(dead.memory, 'x', { at: '2027-11-23T03:00:00Z' })
    const began = dead.clock.monotonic()
    await dead.claim('a')
    expect(dead.clock.monotonic() - began).toBeGreaterThan(120_000)

    const alive = world()
    await write(alive.memory, 'x', { at: '2027-11-23T03:00:00Z' })
    alive.clock.setTimer(60_000, () => void write(alive.memory, 'x', { at: '2027-11-23T03:01:00Z' }))
    expect((await failure(alive.claim('a'))).code).toBe('STORE_OWNED')
  })

  test('somebody who died while choosing is waited for briefly, and not at all when that was long ago', async () => {
    const recent = world()
    await write(recent.memory, 'x', { phase: 'choosing', number: 0 })
    const began = recent.clock.monotonic()
    await recent.claim('a')
    const waited = recent.clock.monotonic() - began
    expect(waited).toBeGreaterThanOrEqual(20_000)
    expect(waited).toBeLessThan(40_000)

    const old = world()
    await write(old.memory, 'x', { phase: 'choosing', number: 0, at: '2026-11-23T02:00:00Z' })
    await old.claim('a')
    expect(old.clock.monotonic()).toBeLessThan(10_000)
  })

  test('a record that this version does not understand is respected while it changes, and goes when it doesn’t', async () => {
    const alive = world()
    await write(alive.memory, 'x', { schema: 2 })
    alive.clock.setTimer(60_000, () => void write(alive.memory, 'x', { schema: 2, run: 'other' }))
    expect((await failure(alive.claim('a'))).message).toContain('another version of Holdfast')
    const dead = world()
    await dead.memory.put(recordKey('x'), [Buffer.from('garbage')] as never, { signal })
    await dead.claim('a')
    expect([...dead.memory.objects.keys()]).toEqual([recordKey('a')])
  })
})

describe('losing the store', () => {
  test('a holder that stood still for long finds out, and does not free what is not its own', async () => {
    const { claim, memory, clock } = world()
    let down = true
    const stood = {
      ...memory,
      put: async (...args: Parameters<typeof memory.put>) => {
        if (down && clock.monotonic() > 1000) throw new Error('unreachable')
        await memory.put(...args)
      },
    }
    const first = await claim('a', { driver: stood })
    await clock.advance('6m')
    expect(first.lost.aborted).toBe(false)
    const second = await claim('b')
    down = false
    await clock.advance('1m')
    expect(first.lost.reason).toMatchObject({ code: 'STORE_LOST', message: expect.stringContaining('host-b') })
    await first.release()
    expect([...memory.objects.keys()]).toEqual([recordKey('b')])
    await clock.advance('1h')
    expect(second.lost.aborted).toBe(false)
  })

  test('a store that cannot be reached for a while is no loss, when nobody else came', async () => {
    const { claim, memory, clock, log } = world()
    let down = false
    const driver = {
      ...memory,
      put: async (...args: Parameters<typeof memory.put>) => {
        if (down) throw new Error('unreachable')
        await memory.put(...args)
      },
    }
    const claimed = await claim('a', { driver })
    down = true
    await clock.advance('20m')
    expect(log.warnings.join()).toContain('could not be renewed: the store failed at put')
    down = false
    await clock.advance('2m')
    expect(claimed.lost.aborted).toBe(false)
    expect((await failure(claim('b'))).code).toBe('STORE_OWNED')
  })

  test('a clock that jumps is no loss', async () => {
    const { claim, clock } = world()
    const claimed = await claim('a')
    for (const jump of [3_600_000, -7_200_000]) {
      clock.jump(jump)
      await clock.advance('3m')
    }
    expect(claimed.lost.aborted).toBe(false)
  })
})

test('a store that cannot be written is not claimed', async () => {
  const { claim, memory } = world()
  memory.fail({ failPut: { number: 2 } })
  expect((await failure(claim('a'))).code).toBe('STORAGE_IO')
  expect([...memory.objects.keys()]).toEqual([])
})

test('a store that is too slow to be claimed safely says so, and keeps nothing', async () => {
  const { memory, clock, log } = world()
  memory.fail({ delay: () => clock.sleep('4s') })
  const slow = claimStore({
    driver: memory,
    instance: 'default',
    plan: 'shop',
    holder: { stateId: 'a', host: 'host-a' },
    run: 'r',
    clock,
    log,
  })
  expect((await failure(advanceUntil(clock, slow, '1s'))).code).toBe('STORE_CLAIM_SLOW')
  expect([...memory.objects.keys()]).toEqual([])
})

test('giving up while waiting leaves nothing', async () => {
  const { claim, memory } = world()
  await write(memory, 'x', { phase: 'choosing', number: 0 })
  const abort = new AbortController()
  const claiming = claim('a', { signal: abort.signal })
  setTimeout(() => abort.abort(new Error('shutting down')), 5)
  await expect(claiming).rejects.toThrow('shutting down')
  expect([...memory.objects.keys()]).toEqual([recordKey('x')])
})
