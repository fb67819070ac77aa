// The application of the crash sweep of drills: its databases are files in a directory, so that they outlive every process.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createEngine,
  createLogger,
  createMetrics,
  createRedactor,
  fsStorage,
  loadConfig,
  logOutput,
  systemClock,
  type Engine,
} from '@holdfast/runtime'
import { defineDrill, definePlugin, type Drill, type Plugin } from '@holdfast/sdk'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Point } from './world.ts'

const anything = <T>(): StandardSchemaV1<unknown, T> => ({
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) },
})

/** The databases that drills have made. */
export function databasesIn(world: string): readonly string[] {
  return readdirSync(world)
}

function database(world: string, point: Point): Plugin {
  return definePlugin({
    name: 'database',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    hooks: { backups: (ctx) => ctx.createArtifact('dump', (sink) => sink.write(Buffer.from('rows'.repeat(1000)))) },
    restore: {
      options: anything<{ database: string }>(),
      async run(ctx) {
        const { database: name } = ctx.options
        point('before the database is made')
        writeFileSync(join(world, name), '')
        point('after the database was made')
        for await (const chunk of ctx.openArtifact(ctx.point.id)) writeFileSync(join(world, name), chunk, { flag: 'a' })
        point('after the database was filled')
        return { where: name }
      },
    },
  })({})
}

function weekly(world: string, point: Point): Drill {
  return defineDrill({
    name: 'weekly',
    plan: 'shop',
    options: { database: 'drill_{suffix}' },
    expect({ directory }) {
      writeFileSync(join(directory, 'notes'), 'x')
      point('in the middle of what is expected')
    },
    cleanup({ options }) {
      point('before the database is dropped')
      rmSync(join(world, options['database'] ?? ''), { force: true })
      point('after the database was dropped')
    },
  })
}

/** The engine that is killed, and the one that takes over. */
export async function drillEngineFor(place: string, point: Point): Promise<Engine> {
  const [state, world] = [join(place, 'state'), join(place, 'world')]
  for (const directory of [state, world]) mkdirSync(directory, { recursive: true })
  const redactor = createRedactor()
  const log = createLogger({ level: 'error', format: 'json', redactor, destination: { write: () => {} } })
  const { config } = await loadConfig({
    cwd: state,
    etc: state,
    env: {},
    environmentForm: () => ({
      storage: fsStorage({ path: join(place, 'store') }),
      plans: [{ name: 'shop', use: [database(world, point)] }],
      drills: [weekly(world, point)],
    }),
  })
  return createEngine({
    config,
    stateDirectory: state,
    log,
    redactor,
    metrics: createMetrics(),
    clock: systemClock,
    output: logOutput({ log, clock: systemClock }),
    observeJournal: point,
  })
}
