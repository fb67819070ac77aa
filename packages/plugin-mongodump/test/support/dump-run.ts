import type { Artifact, HoldfastError, Plan, TargetOutcome } from '@holdfast/sdk'
import { createTestRun, fakeExec, memoryStorage, type MemoryStorage, type TestRun } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import { mongodump, type MongodumpOptions } from '../../src/index.ts'
import { startFakeMongo, type FakeMongo } from './fake-mongo.ts'
import { createFakeTools, type FakeTools } from './fake-tools.ts'

/** Dumps on the real runner, of a fake server by fake tools. */
export interface DumpRun {
  readonly mongo: FakeMongo
  readonly tools: FakeTools
  readonly test: TestRun
  readonly storage: MemoryStorage
  /** Runs the plan once, a second later each time. */
  run(): Promise<{
    readonly status: string
    readonly target: TargetOutcome | undefined
    /** Of the target, or of the run. */
    readonly error: HoldfastError | undefined
  }>
  /** `meta.mongodump` of the newest artifact. */
  meta(): Promise<unknown>
  /** Artifacts in the store. */
  stored(): Promise<number>
  /** Lines of the log at a level. */
  said(level: 'debug' | 'info' | 'warn' | 'error'): readonly string[]
}

/** Options of {@link dumpRun}. */
export interface DumpRunOptions {
  readonly options?: Partial<MongodumpOptions>
  readonly plan?: Partial<Omit<Plan, 'use'>>
  /** Makes the server another one, before anything is dumped. */
  readonly prepare?: (mongo: FakeMongo) => void
  /** Default: `mongodb://127.0.0.1:PORT/` of the fake. */
  readonly uri?: (mongo: FakeMongo) => string
}

/** Creates a {@link DumpRun}: of a server with `shop.orders` (10 documents) and `shop.users` (2). */
export async function dumpRun({
  options,
  plan,
  prepare,
  uri = (mongo) => mongo.uri,
}: DumpRunOptions = {}): Promise<DumpRun> {
  const mongo = await startFakeMongo()
  onTestFinished(() => mongo[Symbol.asyncDispose]())
  mongo.collections.set('shop.orders', { documents: 10 }).set('shop.users', { documents: 2 })
  prepare?.(mongo)
  const tools = createFakeTools(mongo)
  const storage = memoryStorage()
  const test = await createTestRun({
    use: [mongodump({ uri: { env: 'MONGODB_URI' }, ...options })],
    ...(plan && { plan }),
    config: { storage },
    exec: fakeExec({ mongodump: tools.mongodump, mongorestore: tools.mongorestore }),
    env: { ...process.env, MONGODB_URI: uri(mongo) },
  })
  onTestFinished(() => test.close())
  const artifacts = async (): Promise<readonly StoredDump[]> => all(test.engine.services.store().list({}))
  return {
    mongo,
    tools,
    test,
    storage,
    async run() {
      await test.clock.advance('1s')
      const { outcome } = await test.run()
      const [target] = outcome.targets
      const error = (target?.error ?? outcome.error) as HoldfastError | undefined
      return { status: outcome.status, target, error }
    },
    async meta() {
      const [newest] = await artifacts()
      return newest?.meta['mongodump']
    },
    stored: async () => (await artifacts()).length,
    said: (level) =>
      test.log
        .map((line) => JSON.parse(line) as { level: string; msg: string })
        .flatMap((line) => (line.level === level ? [line.msg] : [])),
  }
}

/** An artifact, as far as tests look at it. */
type StoredDump = Pick<Artifact, 'id' | 'target' | 'createdAt' | 'meta'>

/** All that a stream has. */
export async function all<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}
