// A dump of MongoDB into the store, against what one would write in a shell: mongodump's own archive and compression. Both read from
// the same server of the kit (FerretDB). Then the same into a bucket (versitygw), against the store in a directory. Where the
// servers can't be had, that is said, and nothing is measured.
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fill, installMongo, startMongo, toolsPath, type MongoServer } from '../e2e/support/mongo.ts'
import { startS3Service, type S3Service } from '../e2e/support/s3.ts'
import type { StorageDriver } from '../packages/sdk/src/index.ts'
import { createArchiveCheck } from '../packages/plugin-mongodump/src/archive/check.ts'
import { createCrc64 } from '../packages/plugin-mongodump/src/archive/crc64.ts'
import { mongodump } from '../packages/plugin-mongodump/src/index.ts'
import { fsStorage } from '../packages/runtime/src/index.ts'
import { s3 } from '../packages/storage-s3/src/index.ts'
import { createTestRun } from '../packages/testing/src/index.ts'
import { median, seconds, type Result } from './result.ts'

const documents = 40_000
const pairs = 9

/**
 * Measures in turns. Ours is a whole run: program looked at, server asked, archive checked, stored, and read back. Without
 * counts, which the shell doesn't make either: MongoDB has them at hand, FerretDB reads everything for them.
 */
export async function run(): Promise<Result[]> {
  try {
    await installMongo()
  } catch (error) {
    process.stdout.write(`mongodump: NOT MEASURED, its server and tools can't be built: ${(error as Error).message}\n`)
    return []
  }
  const server = await startMongo()
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  let service: S3Service | undefined
  try {
    service = await startS3Service()
    Object.assign(process.env, service.env)
    await fill(server, 'shop', 'orders', documents)
    const samples: Sample[] = []
    // The first round only warms up.
    for (let round = 0; round <= pairs; round += 1) {
      const first = round % 2 === 0 ? shell(server, directory) : undefined
      const ours = await store(server, directory)
      const theirs = first ?? shell(server, directory)
      if (round > 0) samples.push({ ours, theirs })
    }
    const of = (pick: (sample: Sample) => number): number => median(samples.map(pick))
    const speed = of(({ ours, theirs }) => theirs.ms / ours.ms)
    const size = of(({ ours, theirs }) => ours.bytes / theirs.bytes)
    const note = `${seconds(of(({ ours }) => ours.ms))} and ${seconds(of(({ theirs }) => theirs.ms))}, ${documents} documents, median of ${pairs} pairs; the server is what takes long`
    const bucket = await bucketTime(pairs, service, (where) => store(server, directory, { where }))
    const pipe = await pipeline(server, service, directory)
    return [
      {
        name: 'mongodump → zstd → sha256 → fs, checked and read back: speed against mongodump --archive --gzip > FILE',
        ratio: speed,
        bar: '≥ 0.9×',
        pass: speed >= 0.9,
        note,
      },
      {
        name: 'the same: size against that of mongodump --gzip',
        ratio: size,
        bar: '< 1×',
        pass: size < 1,
        note: `${of(({ ours }) => ours.bytes)} and ${of(({ theirs }) => theirs.bytes)} bytes`,
      },
      {
        name: 'the same, mongodump → zstd → sha256, into a bucket: time against the fs store',
        ratio: bucket.ratio,
        bar: '≤ 1.2×',
        pass: bucket.ratio <= 1.2,
        note: `${seconds(bucket.s3)} and ${seconds(bucket.fs)}, median of ${pairs} pairs; the bucket is versitygw's, on the same machine and disk`,
      },
      {
        name: 'an archive of 256 MiB instead of a slow server, the same way: speed against cat ARCHIVE | gzip > FILE',
        ratio: pipe.ratio,
        bar: 'reported',
        pass: true,
        note: `${pipe.speed.toFixed(0)} MiB/s, checksums of the archive looked at on the way, and all of it read back; median of 3 pairs`,
      },
      {
        name: 'the same archive of 256 MiB into a bucket: time against the fs store',
        ratio: pipe.bucket.ratio,
        bar: 'reported',
        pass: true,
        note: `${seconds(pipe.bucket.s3)} and ${seconds(pipe.bucket.fs)}, all of it read back; median of 3 pairs`,
      },
    ]
  } finally {
    await service?.stop()
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Measured {
  readonly ms: number
  readonly bytes: number
}

interface Sample {
  readonly ours: Measured
  readonly theirs: Measured
}

interface BucketTime {
  readonly fs: number
  readonly s3: number
  readonly ratio: number
}

/** Into the bucket and into the directory in turns, also of who comes first. The first round only warms up. */
async function bucketTime(
  rounds: number,
  { endpoint }: S3Service,
  measure: (where: StorageDriver | undefined) => Promise<Measured>,
): Promise<BucketTime> {
  const samples: BucketTime[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const directory = async (): Promise<number> => (await measure(undefined)).ms
    const early = round % 2 === 0 ? await directory() : undefined
    const { ms } = await measure(s3({ bucket: 'backups', prefix: `bench-${performance.now()}`, endpoint }))
    const fs = early ?? (await directory())
    if (round > 0) samples.push({ fs, s3: ms, ratio: ms / fs })
  }
  const of = (pick: (sample: BucketTime) => number): number => median(samples.map(pick))
  return { fs: of((each) => each.fs), s3: of((each) => each.s3), ratio: of((each) => each.ratio) }
}

/** What is ours of it: the documents of a real archive, as often as it takes, come from a file. */
async function pipeline(
  server: MongoServer,
  service: S3Service,
  directory: string,
): Promise<{ readonly ratio: number; readonly speed: number; readonly bucket: BucketTime }> {
  const file = join(directory, 'archive')
  const env = { ...process.env, PATH: toolsPath }
  execFileSync('sh', ['-c', 'exec mongodump --quiet --uri "$1" --db shop --archive > "$2"', 'sh', server.uri, file], {
    env,
  })
  const size = repeatDocuments(file, 256 * 2 ** 20)
  const cat = ['sh', '-c', `case $2 in --version) echo version: 100.10.0 ;; *) exec cat "${file}" ;; esac`] as const
  const program = [...cat, 'sh', 'x'] as const
  const samples: { ours: number; theirs: number }[] = []
  for (let round = 0; round <= 3; round += 1) {
    const { ms: ours } = await store(server, directory, { program })
    const began = performance.now()
    execFileSync('sh', ['-c', 'cat "$1" | gzip > "$1.gz"', 'sh', file])
    const theirs = performance.now() - began
    if (round > 0) samples.push({ ours, theirs })
  }
  return {
    ratio: median(samples.map(({ ours, theirs }) => theirs / ours)),
    speed: median(samples.map(({ ours }) => size / 2 ** 20 / (ours / 1000))),
    bucket: await bucketTime(3, service, (where) => store(server, directory, { program, where })),
  }
}

/** Makes an archive of one collection longer, with a checksum that is right. @returns its bytes */
function repeatDocuments(file: string, atLeast: number): number {
  const archive = readFileSync(file)
  const check = createArchiveCheck()
  check.push(archive)
  const { preludeBytes } = check.end()
  const headerSize = archive.readInt32LE(preludeBytes)
  const from = preludeBytes + headerSize
  const end = archive.length - 4 - headerSize - 4
  const all = archive.subarray(from, end)
  const times = Math.ceil(atLeast / all.length)
  const crc = createCrc64()
  const out = openSync(file, 'w')
  writeSync(out, archive.subarray(0, from))
  for (let round = 0; round < times; round += 1) {
    crc.update(all, 0, all.length)
    writeSync(out, all)
  }
  const tail = Buffer.from(archive.subarray(end))
  // The last field of the end mark, before its zero byte and the terminator.
  tail.writeBigInt64LE(crc.value(), tail.length - 4 - 1 - 8)
  writeSync(out, tail)
  closeSync(out)
  return from + times * all.length + tail.length
}

async function store(
  { uri }: MongoServer,
  directory: string,
  {
    program,
    where,
  }: { readonly program?: readonly [string, ...string[]]; readonly where?: StorageDriver | undefined } = {},
): Promise<Measured> {
  const path = join(directory, 'store')
  const test = await createTestRun({
    use: [
      mongodump({
        uri: { env: 'MONGODB_URI' },
        database: 'shop',
        verify: 'archive',
        ...(program && { tools: { mongodump: program } }),
      }),
    ],
    config: { storage: where ?? fsStorage({ path }) },
    env: { ...process.env, PATH: toolsPath, MONGODB_URI: uri },
  })
  const began = performance.now()
  const { outcome } = await test.run()
  const ms = performance.now() - began
  await test.close()
  if (outcome.status !== 'succeeded')
    throw new Error(`the dump ${outcome.status}: ${outcome.targets[0]?.error?.message}`)
  if (where) return { ms, bytes: Number.NaN }
  const data = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.zst'))
  const bytes = data.reduce((sum, name) => sum + statSync(join(path, name)).size, 0)
  rmSync(path, { recursive: true })
  return { ms, bytes }
}

function shell({ uri }: MongoServer, directory: string): Measured {
  const file = join(directory, 'dump.gz')
  const env = { ...process.env, PATH: toolsPath }
  const began = performance.now()
  execFileSync('sh', ['-c', 'exec mongodump --quiet --uri "$1" --db shop --archive --gzip > "$2"', 'sh', uri, file], {
    env,
  })
  const ms = performance.now() - began
  const bytes = statSync(file).size
  rmSync(file)
  return { ms, bytes }
}
