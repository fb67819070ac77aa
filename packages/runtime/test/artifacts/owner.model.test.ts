// Every order in which the small steps of several claimants can meet, some of whom die on the way.
import { testClock, type TestClock } from '@holdfast/testing'
import { HoldfastError, isHoldfastError, type StorageDriver } from '@holdfast/sdk'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { claimStore, type StoreClaim } from '../../src/artifacts/owner.ts'
import { captureLog } from './support.ts'

interface Claimant {
  readonly name: string
  outcome: 'open' | 'won' | 'owned' | 'slow' | 'dead'
  claim?: StoreClaim
}

/** Objects that change one step at a time, whenever the test says so. */
class SteppedStore {
  readonly objects = new Map<string, Uint8Array>()
  readonly waiting: { readonly who: Claimant; readonly go: () => void }[] = []

  /** The store as one claimant sees it. Each operation has a step before its effect and one before its answer. */
  driver(who: Claimant): StorageDriver {
    const step = (): Promise<void> => new Promise((go) => this.waiting.push({ who, go }))
    const { objects } = this
    return {
      name: 'stepped',
      capabilities: { atomicPut: true, rangeRead: false, objectLock: false },
      async put(key, body) {
        const chunks: Uint8Array[] = []
        for await (const chunk of body) chunks.push(chunk)
        await step()
        objects.set(key, Buffer.concat(chunks))
        await step()
      },
      async *get(key) {
        await step()
        const bytes = objects.get(key)
        await step()
        if (!bytes) throw new HoldfastError({ code: 'STORAGE_NOT_FOUND', message: key })
        yield bytes
      },
      async *list(prefix) {
        await step()
        const found = [...objects]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, { length }]) => ({ key, size: length }))
        await step()
        yield* found.toSorted((a, b) => (a.key < b.key ? -1 : 1))
      },
      async delete(key) {
        await step()
        objects.delete(key)
        await step()
      },
    }
  }
}

function start(store: SteppedStore, clock: TestClock, name: string): Claimant {
  const who: Claimant = { name, outcome: 'open' }
  const claiming = claimStore({
    driver: store.driver(who),
    instance: 'default',
    plan: 'shop',
    holder: { stateId: name, host: name },
    run: name,
    clock,
    log: captureLog(),
  })
  const end = async (): Promise<void> => {
    try {
      const claim = await claiming
      if (who.outcome === 'open') Object.assign(who, { outcome: 'won', claim })
    } catch (error) {
      const code = isHoldfastError(error) ? error.code : String(error)
      if (who.outcome !== 'open') return
      if (code === 'STORE_OWNED') who.outcome = 'owned'
      if (code === 'STORE_CLAIM_SLOW') who.outcome = 'slow'
    }
  }
  void end()
  return who
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Course {
  /** Which of so many comes next. */
  readonly next: (below: number) => number
  /** Milliseconds that pass now and then. */
  readonly pause: number
  /** Who dies, and who stands still for up to half a minute, by the number of the step. */
  readonly deaths?: ReadonlyMap<number, string>
  readonly stalls?: ReadonlyMap<number, string>
}

/** Lets steps happen in the order that a course says until nothing is open any more. */
async function play(
  store: SteppedStore,
  clock: TestClock,
  claimants: readonly Claimant[],
  { next, pause, deaths, stalls }: Course,
): Promise<void> {
  const stalled = new Map<string, number>()
  for (let count = 0; claimants.some(({ outcome }) => outcome === 'open'); count++) {
    if (count > 20_000) throw new Error('it never ends')
    await settle()
    const who = stalls?.get(count)
    if (who !== undefined) stalled.set(who, clock.monotonic() + 1000 * next(30))
    for (const each of claimants) if (deaths?.get(count) === each.name) each.outcome = 'dead'
    const ready = store.waiting.filter(
      (each) => each.who.outcome !== 'dead' && clock.monotonic() >= (stalled.get(each.who.name) ?? 0),
    )
    const step = ready[next(Math.max(1, ready.length))]
    if (step) {
      store.waiting.splice(store.waiting.indexOf(step), 1)
      step.go()
    }
    if (ready.length === 0 || next(8) === 0) await clock.advance(pause)
    const winners = claimants.filter(({ outcome, claim }) => outcome === 'won' && !claim?.lost.aborted)
    expect(winners.length).toBeLessThanOrEqual(1)
  }
}

const runs = process.env['HOLDFAST_TEST_LONG'] ? 5000 : 200

function chooser(choices: readonly number[]): (below: number) => number {
  let at = 0
  return (below) => (choices[at++ % choices.length] ?? 0) % below
}

test('two and more that claim at the same moment: exactly one wins', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 4 }),
      fc.array(fc.nat(1000), { minLength: 40, maxLength: 200 }),
      async (count, choices) => {
        const store = new SteppedStore()
        const clock = testClock()
        const claimants = Array.from({ length: count }, (_, n) => start(store, clock, `h${n}`))
        await play(store, clock, claimants, { next: chooser(choices), pause: 20 })
        expect(claimants.map(({ outcome }) => outcome).toSorted()).toEqual([
          ...Array.from({ length: count - 1 }, () => 'owned'),
          'won',
        ])
      },
    ),
    { numRuns: runs },
  )
})

test('some are slow, some die at any step: never two, and the next one gets in', async () => {
  const events = fc.array(fc.tuple(fc.nat(60), fc.nat(2)), { maxLength: 3 })
  const byStep = (list: readonly (readonly [number, number])[]): Map<number, string> =>
    new Map(list.map(([at, who]) => [at, `h${who}`]))
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 3 }),
      fc.array(fc.nat(1000), { minLength: 40, maxLength: 200 }),
      events,
      events,
      fc.constantFrom(50, 700, 3000),
      async (count, choices, deaths, stalls, pause) => {
        const store = new SteppedStore()
        const clock = testClock()
        const claimants = Array.from({ length: count }, (_, n) => start(store, clock, `h${n}`))
        const next = chooser(choices)
        await play(store, clock, claimants, { next, pause, deaths: byStep(deaths), stalls: byStep(stalls) })
        // The winner dies too, at last; what is dead for five minutes is nobody's.
        for (const who of claimants) who.outcome = 'dead'
        await clock.advance('6m')
        store.waiting.length = 0
        const last = start(store, clock, 'last')
        await play(store, clock, [last], { next, pause: 20 })
        expect(last.outcome).toBe('won')
      },
    ),
    { numRuns: runs },
  )
})
