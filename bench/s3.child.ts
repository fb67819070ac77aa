// One side of s3.bench.ts, in a process of its own, with the bundle that people run: `s3.child.ts fs|s3|put|library INPUT
// WHERE`. Prints what it took.
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type * as Runtime from '../packages/runtime/src/index.ts'
import type * as Aws from '../packages/storage-s3/src/aws.ts'
import type * as Store from '../packages/storage-s3/src/index.ts'

const [what, input = '', where = ''] = process.argv.slice(2)
const { signal } = new AbortController()
const bundled = (name: string): Promise<unknown> => import(`../apps/sidecar/dist/${name}`)
const driver = async () => ((await bundled('storage-s3.js')) as typeof Store).s3({ bucket: 'backups', endpoint: where })

async function artifact(): Promise<void> {
  const { createArtifactStore, fsStorage, systemClock } = (await bundled('runtime.js')) as typeof Runtime
  const store = createArtifactStore({
    driver: what === 'fs' ? fsStorage({ path: where }) : await driver(),
    // What earlier rounds have stored is not there to be compared with.
    instance: `bench-${process.pid}`,
    clock: systemClock,
    log: { warn: console.error },
  })
  await store.create(
    {
      plan: 'bench',
      target: 'input',
      run: 'run',
      name: 'input',
      startedAt: new Date(),
      encoding: { compression: 'zstd', recipients: [], identity: undefined },
      signal,
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
}

const stream = () => createReadStream(input, { highWaterMark: 1024 * 1024 })

/** What the AWS SDK has for it, with parts as ours. */
async function library(): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage')
  const { default: aws } = (await bundled('aws-s3.cjs')) as { readonly default: typeof Aws }
  const client = new aws.S3Client({ endpoint: where, forcePathStyle: true, region: 'us-east-1' })
  const params = { Bucket: 'backups', Key: 'input', Body: stream() }
  await new Upload({ client, params, partSize: 8 * 2 ** 20, queueSize: 4 }).done()
}

if (what === 'library') await library()
else if (what === 'put') await (await driver()).put('input', stream(), { signal })
else await artifact()
console.log(JSON.stringify({ rss: process.resourceUsage().maxRSS * 1024 }))
