// An artifact into a bucket instead of a directory, and what a long stream takes.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { rowBlockSize, rows } from './rows.ts'
import { median, seconds, type Result } from './result.ts'

const MiB = 2 ** 20
const size = 2048 * MiB
const rounds = 9

/**
 * Measures in turns, whole processes from start to end. Needs 5 GiB below the temporary directory. The service discards
 * what it gets, in a process of its own on the same machine: its network has no limit, and it takes its share of the
 * processors.
 */
export async function run(): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  const service = spawn(process.execPath, nodeArguments('s3.server.ts'), { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [said] = (await once(service.stdout, 'data')) as [Buffer]
    const endpoint = said.toString().trim()
    const input = join(directory, 'input')
    await generate(input)
    const measures: Readonly<Record<Side, () => Taken>> = {
      fs: () => {
        const taken = child('s3.child.ts', 'fs', input, join(directory, 'store'))
        rmSync(join(directory, 'store'), { recursive: true })
        return taken
      },
      s3: () => child('s3.child.ts', 's3', input, endpoint),
      put: () => child('s3.child.ts', 'put', input, endpoint),
      library: () => child('s3.child.ts', 'library', input, endpoint),
    }
    const artifact = pairs(measures, 'fs', 's3')
    const upload = pairs(measures, 'library', 'put')
    const memory = longStream()
    const time = artifact.ratio
    return [
      {
        name: 'artifact of 2 GiB, zstd + sha256: time into a bucket against the fs store',
        ratio: time,
        bar: '≤ 1.2×',
        pass: time <= 1.2,
        note: `${seconds(artifact.second.ms)} and ${seconds(artifact.first.ms)}, ${rounds} pairs; the fs store syncs its disk, the service is on the same machine and discards`,
      },
      {
        name: 'stream of 8 GiB into a bucket: peak RSS, with the service in the same process',
        ratio: memory.rss / MiB / 300,
        bar: '< 1× of 300 MiB',
        pass: memory.rss / MiB < 300,
        note: `${(memory.rss / MiB).toFixed(0)} MiB, ${(8192 / (memory.ms / 1000)).toFixed(0)} MiB/s`,
      },
      {
        name: 'stream of 2 GiB into a bucket: time against Upload of @aws-sdk/lib-storage',
        ratio: upload.ratio,
        bar: 'reported',
        pass: true,
        note: `${seconds(upload.second.ms)} and ${seconds(upload.first.ms)}, parts of 8 MiB, four at once`,
      },
      {
        name: 'stream of 2 GiB into a bucket: peak RSS against Upload of @aws-sdk/lib-storage',
        ratio: upload.second.rss / upload.first.rss,
        bar: 'reported',
        pass: true,
        note: `${(upload.second.rss / MiB).toFixed(0)} and ${(upload.first.rss / MiB).toFixed(0)} MiB; and it ends at 10,000 of these parts, 78 GiB`,
      },
    ]
  } finally {
    service.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

type Side = 'fs' | 's3' | 'put' | 'library'

interface Taken {
  readonly ms: number
  readonly rss: number
}

/** Medians of both, and of the second's time to the first's. */
function pairs(
  measures: Readonly<Record<Side, () => Taken>>,
  first: Side,
  second: Side,
): { readonly ratio: number; readonly first: Taken; readonly second: Taken } {
  const samples: { readonly first: Taken; readonly second: Taken }[] = []
  // The first round only warms up.
  for (let round = 0; round <= rounds; round += 1) {
    // In turns also of who comes first.
    const early = round % 2 === 0 ? measures[first]() : undefined
    const later = measures[second]()
    const sample = { first: early ?? measures[first](), second: later }
    if (round > 0) samples.push(sample)
  }
  const of = (pick: (sample: (typeof samples)[number]) => number): number => median(samples.map(pick))
  const taken = (side: 'first' | 'second'): Taken => ({
    ms: of((each) => each[side].ms),
    rss: of((each) => each[side].rss),
  })
  return { ratio: of((each) => each.second.ms / each.first.ms), first: taken('first'), second: taken('second') }
}

function child(script: string, ...args: readonly string[]): Taken {
  const began = performance.now()
  const out = execFileSync(process.execPath, [...nodeArguments(script), ...args], { encoding: 'utf8', env: withKeys })
  return { ms: performance.now() - began, rss: (JSON.parse(out) as { readonly rss: number }).rss }
}

function longStream(): Taken {
  const script = join(import.meta.dirname, '../packages/storage-s3/test/memory.child.ts')
  const args = ['--conditions=@holdfast/source', script, `${8192 * MiB}`]
  const out = execFileSync(process.execPath, args, { encoding: 'utf8', env: withKeys })
  const { peak, ms } = JSON.parse(out) as { readonly peak: number; readonly ms: number }
  return { rss: peak, ms }
}

const withKeys = { ...env, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' }

function nodeArguments(script: string): readonly string[] {
  return ['--conditions=@holdfast/source', join(import.meta.dirname, script)]
}

async function generate(path: string): Promise<void> {
  const file = await open(path, 'wx')
  const blocks = rows()
  for (let written = 0; written < size; written += rowBlockSize) await file.write(blocks.next().value as Buffer)
  await file.sync()
  await file.close()
}
