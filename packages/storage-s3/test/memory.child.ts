// Stores a stream with a server that discards it, both in this process: `memory.child.ts BYTES`. Prints what it took.
import { s3 } from '../src/s3.ts'
import { startS3 } from './support/s3-server.ts'

const size = Number(process.argv[2])
const server = await startS3({ discard: true, unchecked: true })
const driver = s3({ bucket: server.bucket, endpoint: server.url })
const { signal } = new AbortController()
async function* body(): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(1024 * 1024, 'dump')
  for (let rest = size; rest > 0; rest -= chunk.length) yield chunk.subarray(0, rest)
}
const idle = process.memoryUsage.rss()
const began = performance.now()
await driver.put('dump.data', body(), { signal })
const ms = performance.now() - began
const stored = server.objects.get('dump.data')?.size
await server.close()
console.log(JSON.stringify({ stored, idle, peak: process.resourceUsage().maxRSS * 1024, ms }))
