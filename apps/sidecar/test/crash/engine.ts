import {
  createApiClient,
  createEngine,
  createKubernetes,
  createLogger,
  createMetrics,
  createRedactor,
  fsStorage,
  loadConfig,
  logOutput,
  systemClock,
  type Cluster,
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
  /** The address of an API server, where armed undos are kept, too. */
  readonly api?: string | undefined
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
    cluster: options.api === undefined ? undefined : clusterAt(options.api),
  })
}

/** Every one of these processes is a container of the same pod. */
function clusterAt(address: string): Cluster {
  const connection = {
    server: new URL(address),
    namespace: 'shop',
    source: 'the service account',
    credentials: async () => ({ headers: {}, tls: {}, version: '1' }),
  }
  const api = createApiClient({ connection, clock: systemClock })
  const kubernetes = createKubernetes({ api, clock: systemClock, reporter: 'web-0' })
  const pod = { name: 'web-0', namespace: 'shop', uid: 'web-0-uid', container: 'holdfast' }
  return { connection, api, kubernetes, pod, close: () => api.close() }
}
