// A process that stores one artifact and can be killed at a named step: `crash.child.ts STORE STEP`. Says `at STEP` and
// stands still there; says `done` when there is no such step.
import * as nodeFs from 'node:fs/promises'
import { fsStorage } from '../../src/artifacts/fs-driver.ts'
import { createArtifactStore } from '../../src/artifacts/store.ts'
import { systemClock } from '../../src/clock.ts'
import { stepsOf } from './crash.steps.ts'

const [path = '', wanted = ''] = process.argv.slice(2)
const forever = new Promise<never>(() => setInterval(() => {}, 1000))
const fileSystem = stepsOf(nodeFs, async (step) => {
  if (step !== wanted) return
  process.stdout.write(`at ${step}\n`)
  await forever
})
const store = createArtifactStore({
  driver: fsStorage({ path, fileSystem }),
  instance: 'default',
  clock: systemClock,
  log: { warn: () => {} },
})
await store.create(
  {
    plan: 'shop',
    target: 'orders',
    run: 'killed',
    name: 'dump',
    startedAt: new Date(),
    encoding: { compression: 'none', recipients: [], identity: undefined },
    signal: new AbortController().signal,
  },
  (sink) => sink.write(Buffer.alloc(3_000_000, 'half of it')),
)
process.stdout.write('done\n')
process.exit(0)
