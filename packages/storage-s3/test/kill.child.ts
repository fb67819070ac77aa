// A process that stores an object and can be killed: `kill.child.ts ENDPOINT BYTES PART_SIZE`.
import { createDriver } from '../src/create-driver.ts'
import { systemClock } from '../src/clock.ts'
import { parseOptions } from '../src/options.ts'

const [endpoint = '', size = '0', partSize = '0'] = process.argv.slice(2)
const config = parseOptions({ bucket: 'backups', endpoint, concurrency: 2 })
const driver = createDriver({ ...config, partSize: Number(partSize) }, systemClock)
async function* body(): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(16_384, 'dump')
  for (let rest = Number(size); rest > 0; rest -= chunk.length) yield chunk.subarray(0, rest)
}
await driver.put('shop/orders/run/dump.data', body(), { signal: new AbortController().signal })
