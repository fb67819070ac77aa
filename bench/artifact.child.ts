// The store's side of artifact.bench.ts: one file into a new store, in a process of its own.
import { createReadStream } from 'node:fs'
import { fsStorage } from '../packages/runtime/src/artifacts/fs-driver.ts'
import { createArtifactStore } from '../packages/runtime/src/artifacts/store.ts'
import { systemClock } from '../packages/runtime/src/clock.ts'

const [input = '', path = ''] = process.argv.slice(2)
const store = createArtifactStore({
  driver: fsStorage({ path }),
  instance: 'bench',
  clock: systemClock,
  log: { warn: console.error },
})
const artifact = await store.create(
  {
    plan: 'bench',
    target: 'input',
    run: 'run',
    name: 'input',
    startedAt: new Date(),
    encoding: { compression: 'zstd', recipients: [], identity: undefined },
    signal: new AbortController().signal,
  },
  async (sink) => {
    for await (const chunk of createReadStream(input, { highWaterMark: 256 * 1024 })) await sink.write(chunk as Buffer)
  },
)
console.log(JSON.stringify({ rss: process.resourceUsage().maxRSS * 1024, stored: artifact.storedSize }))
