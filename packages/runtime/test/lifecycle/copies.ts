// A store with copies in memory on the real runner, and what may go wrong with them.
import { advanceUntil, memoryStorage, type MemoryStorage, type TestRun } from '@holdfast/testing'
import {
  definePlugin,
  type HoldfastFailure,
  type Outcome,
  type Plan,
  type Plugin,
  type StorageDriver,
} from '@holdfast/sdk'
import { createArtifactStore, type ArtifactStore, type StoredArtifact } from '../../src/artifacts/store.ts'
import { captureLog, collect } from '../artifacts/support.ts'
import { anything } from './hooks.ts'
import { testRun } from './test-run.ts'

/** A run, its store, and its copies. */
export interface Stage {
  readonly run: TestRun
  readonly primary: MemoryStorage
  readonly copies: readonly MemoryStorage[]
  /** The first of them. */
  readonly copy: MemoryStorage
}

/** How a {@link dumps} backs up. */
export interface DumpsOptions {
  readonly name?: string
  readonly targets?: readonly string[]
  readonly content?: () => string
  /** Fails after it has stored something. */
  readonly failing?: string
}

/** A plugin that stores a text per target. */
export function dumps(options: DumpsOptions = {}): Plugin {
  const { name = 'dumps', targets = ['t'] } = options
  return definePlugin({
    name,
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    targets: () => targets.map((id) => ({ id, labels: {}, data: null })),
    hooks: {
      async backups(ctx) {
        // Asked for each time: a test may change them.
        const { content = () => 'content', failing } = options
        await ctx.createArtifact('data', (sink) => sink.write(Buffer.from(content())))
        if (ctx.target.id === failing) throw new Error('on purpose')
      },
    },
  })({})
}

/** A run with a store and so many copies in memory. */
export async function stage(count: number, plan: Partial<Plan> = {}, use: Plan['use'] = [dumps()]): Promise<Stage> {
  const primary = memoryStorage()
  const copies = Array.from({ length: count }, () => memoryStorage())
  const run = await testRun(use, { plan, config: { storage: primary, copies } })
  return { run, primary, copies, copy: copies[0] ?? memoryStorage() }
}

/** What is in a store of one of these runs, as somebody sees it who has only that store. */
export function storeIn(driver: StorageDriver, run: TestRun): ArtifactStore {
  return createArtifactStore({ driver, instance: 'default', clock: run.clock, log: captureLog() })
}

/** Its artifacts, newest first. */
export async function artifactsIn(driver: StorageDriver, run: TestRun): Promise<StoredArtifact[]> {
  return collect(storeIn(driver, run).list())
}

/** Keys of what is stored, sorted; without the records of owners. */
export function keysIn(store: MemoryStorage): string[] {
  return [...store.objects.keys()].filter((key) => !key.includes('/.owner/')).toSorted()
}

/** A day later. */
export async function nextRun({ run }: Pick<Stage, 'run'>): Promise<Outcome> {
  await run.clock.advance('1d')
  return (await advanceUntil(run.clock, run.run())).outcome
}

/** The first warning of a run that has one. */
export function warningOf(outcome: Outcome): HoldfastFailure {
  const [warning] = outcome.warnings
  if (!warning) throw new Error(`there is no warning: ${outcome.status}`)
  return warning
}

/** Whether a key is that of an artifact's data. */
export function isData(key: string): boolean {
  return key.includes('.data')
}

type Put = StorageDriver['put']
const whole = new WeakMap<MemoryStorage, Put>()

function replacePut(store: MemoryStorage, replacement: (put: Put) => Put): void {
  const put = whole.get(store) ?? store.put.bind(store)
  whole.set(store, put)
  Object.assign(store, { put: replacement(put) })
}

/** Refuses puts of these keys. */
export function refuse(store: MemoryStorage, keys: RegExp, onAsked: () => void = () => {}): void {
  replacePut(store, (put) => async (key, body, options) => {
    if (!keys.test(key)) return put(key, body, options)
    onAsked()
    throw new Error('refused on purpose')
  })
}

/** Fails puts of data after so many bytes. */
export function failData(store: MemoryStorage, afterBytes: number): void {
  replacePut(store, (put) => async (key, body, options) => {
    if (!isData(key)) return put(key, body, options)
    store.fail({ failPut: { number: 1, afterBytes } })
    await put(key, body, options).finally(() => store.fail({}))
  })
}

/** Puts work again. */
export function mend(store: MemoryStorage): void {
  Object.assign(store, { put: whole.get(store) })
}

/** Changes a byte of an artifact's data. */
export function rot(store: MemoryStorage, { id }: Pick<StoredArtifact, 'id'>): void {
  for (const [key, bytes] of store.objects) {
    if (key.includes(id) && isData(key)) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  }
}

/** A stream of one chunk. */
export async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
