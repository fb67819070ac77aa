// A dump of MongoDB into the store, against what one would write in a shell: mongodump's own archive and compression. Both read from
// the same server of the kit (FerretDB). Where that can't be had, that is said, and nothing is measured.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fill, installMongo, startMongo, toolsPath, type MongoServer } from '../e2e/support/mongo.ts'
import { mongodump } from '../packages/plugin-mongodump/src/index.ts'
import { fsStorage } from '../packages/runtime/src/index.ts'
import { createTestRun } from '../packages/testing/src/index.ts'

/** One row of the results. */
interface Row {
  readonly name: string
  readonly ratio: number
  readonly bar: string
  readonly pass: boolean
  readonly note?: string
}

const documents = 40_000
const pairs = 9

/**
 * Measures in turns. Ours is a whole run: program looked at, server asked, archive checked, stored, and read back. Without
 * counts, which the shell doesn't make either: MongoDB has them at hand, FerretDB reads everything for them.
 */
export async function run(): Promise<Row[]> {
  try {
    await installMongo()
  } catch (error) {
    process.stdout.write(`mongodump: NOT MEASURED, its server and tools can't be built: ${(error as Error).message}\n`)
    return []
  }
  const server = await startMongo()
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  try {
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
    ]
  } finally {
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

async function store({ uri }: MongoServer, directory: string): Promise<Measured> {
  const path = join(directory, 'store')
  const test = await createTestRun({
    use: [mongodump({ uri: { env: 'MONGODB_URI' }, database: 'shop', verify: 'archive' })],
    config: { storage: fsStorage({ path }) },
    env: { ...process.env, PATH: toolsPath, MONGODB_URI: uri },
  })
  const began = performance.now()
  const { outcome } = await test.run()
  const ms = performance.now() - began
  await test.close()
  if (outcome.status !== 'succeeded')
    throw new Error(`the dump ${outcome.status}: ${outcome.targets[0]?.error?.message}`)
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

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] ?? Number.NaN) + (sorted[sorted.length >> 1] ?? Number.NaN)) / 2
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
