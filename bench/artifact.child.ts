// The store's side of artifact.bench.ts: one file into a new store, in a process of its own.
import { open } from 'node:fs/promises'
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
    const file = await open(input)
    const buffer = Buffer.alloc(256 * 1024)
    for (;;) {
      const { bytesRead } = await file.read(buffer)
      if (bytesRead === 0) break
      await sink.write(buffer.subarray(0, bytesRead))
    }
    await file.close()
  },
)
console.log(JSON.stringify({ rss: process.resourceUsage().maxRSS * 1024, stored: artifact.storedSize }))
