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
import { scripts } from '@holdfast/plugin-scripts'
import { join } from 'node:path'
import { application, type Point } from './world.ts'

/** Where the sweep's engine works, and where it dies. */
export interface SweepOptions {
  readonly state: string
  readonly world: string
  /** A directory of script hooks. */
  readonly scripts: string
  readonly point: Point
  readonly generation: string
}

/** The engine that is killed, and the one that takes over. */
export async function engineFor(options: SweepOptions): Promise<Engine> {
  const { state, world, point, generation } = options
  const redactor = createRedactor()
  const log = createLogger({ level: 'error', format: 'json', redactor, destination: { write: () => {} } })
  const storage = fsStorage({ path: join(state, '..', 'store') })
  const { config } = await loadConfig({
    cwd: state,
    etc: state,
    env: {},
    environmentForm: () => ({
      storage,
      plans: [
        {
          name: 'shop',
          use: [...application(world, point, generation), scripts({ path: options.scripts })],
          retention: { latest: 2 },
        },
      ],
    }),
  })
  return createEngine({
    config,
    stateDirectory: state,
    log,
    redactor,
    metrics: createMetrics(),
    clock: systemClock,
    env: { ...process.env, HOLDFAST_TEST_WORLD: world },
    output: logOutput({ log, clock: systemClock }),
    observeJournal: point,
  })
}
