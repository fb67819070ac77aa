import { definePlugin, type HoldfastError, type Json, type PlannedStep, type RunContext } from '@holdfast/sdk'
import { createTestRun, fakeExec, type TestRun } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import { mongodumpSchema, type MongodumpConfig } from '../../src/options.ts'
import { unlockUndo } from '../../src/quiesce/unlock-undo.ts'
import { restoreOptions } from '../../src/restore/options.ts'
import { restoreUndo } from '../../src/restore/restore-undo.ts'
import { restoreDump } from '../../src/restore/restore.ts'
import { all, dumpRun, type DumpRun, type DumpRunOptions } from './dump-run.ts'

type Restoring = Parameters<typeof restoreDump.run>[0]

/** Restores on the real runner, from a dump that was made by {@link dumpRun}, to the same fake server or another. */
export interface RestoreRun extends DumpRun {
  /** Of the restores. */
  readonly restores: TestRun
  /** As `holdfast restore`: where it was restored to; or why not. */
  restore(options?: Readonly<Record<string, string>>, force?: boolean): Promise<Json>
  failure(options?: Readonly<Record<string, string>>, force?: boolean): Promise<HoldfastError>
  /** As `holdfast restore --dry-run`. */
  check(options?: Readonly<Record<string, string>>, force?: boolean): Promise<readonly PlannedStep[]>
  /** Lines of the restores' log at a level. */
  toldOf(level: 'debug' | 'info' | 'warn'): readonly string[]
}

/** Creates a {@link RestoreRun}, with a dump in its store. */
export async function restoreRun(
  given: DumpRunOptions & { readonly env?: NodeJS.ProcessEnv } = {},
): Promise<RestoreRun> {
  const dumps = await dumpRun(given)
  const { status, error } = await dumps.run()
  if (status !== 'succeeded') throw new Error(`there is no dump to restore: ${error?.message}`)
  const { mongo, tools, storage } = dumps
  let body: (ctx: RunContext<MongodumpConfig>) => Promise<void> = async () => {}
  const restorer = definePlugin({
    name: 'mongodump',
    version: '1.0.0',
    sdk: '^1.0',
    config: mongodumpSchema,
    undos: [restoreUndo, unlockUndo],
    hooks: { maintain: (ctx) => body(ctx) },
  })
  const restores = await createTestRun({
    use: [restorer({ uri: { env: 'MONGODB_URI' }, ...given.options })],
    config: { storage },
    exec: fakeExec({ mongodump: tools.mongodump, mongorestore: tools.mongorestore }),
    env: { ...process.env, MONGODB_URI: mongo.uri, ...given.env },
  })
  onTestFinished(() => restores.close())
  const [artifact] = await all(dumps.test.engine.services.store().list({}))
  if (!artifact) throw new Error('there is no artifact')
  const open = (id: string): AsyncIterable<Uint8Array> =>
    dumps.test.engine.services.store().open(id, { signal: new AbortController().signal })

  const call = async (
    options: Readonly<Record<string, string>>,
    force: boolean,
    act: (ctx: Restoring) => Promise<void>,
  ): Promise<HoldfastError | undefined> => {
    const point = {
      id: artifact.id,
      target: artifact.target,
      createdAt: artifact.createdAt,
      state: 'valid',
      ref: { artifact: artifact.id },
    }
    body = async (ctx) => {
      const values = { point, force, options: restoreOptions.parse(options), openArtifact: open }
      const members = Object.entries(values).map(([key, value]) => [key, { value, enumerable: true }] as const)
      await act(Object.create(ctx, Object.fromEntries(members)) as Restoring)
    }
    await restores.clock.advance('1s')
    const end = restores.run()
    let settled = false
    void end.finally(() => (settled = true))
    while (!settled) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      if (!settled) await restores.clock.advance('50ms')
    }
    return (await end).outcome.error as HoldfastError | undefined
  }
  const failure: RestoreRun['failure'] = async (options = {}, force = false) => {
    const found = await call(options, force, async (ctx) => void (await restoreDump.run(ctx)))
    if (!found) throw new Error('it was restored')
    return found
  }
  return {
    ...dumps,
    restores,
    failure,
    async restore(options = {}, force = false) {
      let where: Json
      const found = await call(options, force, async (ctx) => void ({ where } = await restoreDump.run(ctx)))
      if (found) throw found
      return where
    },
    async check(options = {}, force = false) {
      let steps: readonly PlannedStep[] | void = []
      const found = await call(options, force, async (ctx) => void (steps = await restoreDump.check?.(ctx)))
      if (found) throw found
      return steps ?? []
    },
    toldOf: (level) =>
      restores.log
        .map((line) => JSON.parse(line) as { level: string; msg: string })
        .flatMap((line) => (line.level === level ? [line.msg] : [])),
  }
}
