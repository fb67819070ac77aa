// A process that copies the artifacts of one store into another and can be killed at a named step: `copy-crash.child.ts
// FROM TO STEP`. Says `at STEP` and stands still there; says `done` when there is no such step.
import * as nodeFs from 'node:fs/promises'
import { copyArtifact } from '../../src/artifacts/copy.ts'
import { fsStorage } from '../../src/artifacts/fs-driver.ts'
import { createArtifactStore } from '../../src/artifacts/store.ts'
import { systemClock } from '../../src/clock.ts'
import { stepsOf } from './crash.steps.ts'

const [from = '', to = '', wanted = ''] = process.argv.slice(2)
const forever = new Promise<never>(() => setInterval(() => {}, 1000))
const fileSystem = stepsOf(nodeFs, async (step) => {
  if (step !== wanted) return
  process.stdout.write(`at ${step}\n`)
  await forever
})
const log = { warn: () => {} }
const { signal } = new AbortController()
const source = fsStorage({ path: from })
const store = createArtifactStore({ driver: source, instance: 'default', clock: systemClock, log })
const options = { from: source, to: fsStorage({ path: to, fileSystem }), instance: 'default', clock: systemClock, log }
for await (const artifact of store.list()) await copyArtifact(options, artifact, { isThere: false, signal })
process.stdout.write('done\n')
process.exit(0)
