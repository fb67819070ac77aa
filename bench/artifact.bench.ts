// An artifact of 2 GiB through the store, against what one would write in a shell: compressed, hashed, on the disk.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rows } from './rows.ts'
import { median, seconds, type Result } from './result.ts'

const GiB = 2 ** 30
const size = 2 * GiB
const rounds = 5

/**
 * Measures in turns, whole processes from start to end. Needs `zstd`, `sha256sum` and 5 GiB below the temporary
 * directory.
 */
export async function run(): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  try {
    const input = join(directory, 'input')
    await generate(input)
    const samples: { shell: number; store: number; rss: number; stored: number }[] = []
    // The first round only warms the page cache.
    for (let round = 0; round <= rounds; round += 1) {
      const measureShell = (): number => timed(() => shell(input, join(directory, 'shell.zst'))).ms
      const measureStore = (): { ms: number; value: Stored } => timed(() => store(input, join(directory, 'store')))
      const first = round % 2 === 0 ? measureShell() : undefined
      const { ms, value } = measureStore()
      const sample = { shell: first ?? measureShell(), store: ms, rss: value.rss, stored: value.stored }
      if (round > 0) samples.push(sample)
      rmSync(join(directory, 'shell.zst'))
      rmSync(join(directory, 'store'), { recursive: true })
    }
    const of = (pick: (sample: (typeof samples)[number]) => number): number => median(samples.map(pick))
    const speed = of((sample) => sample.shell / sample.store)
    const rss = Math.max(...samples.map((sample) => sample.rss)) / 2 ** 20
    return [
      {
        name: 'artifact of 2 GiB, zstd + sha256 + fsync: speed against zstd -3 -T2 | tee >(sha256sum) > FILE && sync',
        ratio: speed,
        bar: '≥ 0.8×',
        pass: speed >= 0.8,
        note: `${seconds(of((sample) => sample.store))} and ${seconds(of((sample) => sample.shell))}, ${rounds} pairs, ${(size / of((sample) => sample.stored)).toFixed(2)}:1; the store hashes what it reads as well as what it writes`,
      },
      {
        name: 'artifact of 2 GiB: peak RSS of the whole process',
        ratio: rss / 200,
        bar: '≤ 1× of 200 MiB',
        pass: rss <= 200,
        note: `${rss.toFixed(0)} MiB, the most of ${rounds}`,
      },
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Stored {
  readonly rss: number
  readonly stored: number
}

function store(input: string, path: string): Stored {
  const child = join(import.meta.dirname, 'artifact.child.ts')
  const args = ['--conditions=@holdfast/source', child, input, path]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Stored
}

function shell(input: string, output: string): void {
  const script = 'set -o pipefail; zstd -q -3 -T2 -c "$1" | tee >(sha256sum >/dev/null) > "$2" && sync "$2"'
  execFileSync('bash', ['-c', script, 'bash', input, output], { stdio: 'inherit' })
}

async function generate(path: string): Promise<void> {
  const file = await open(path, 'wx')
  let written = 0
  for (const block of rows()) {
    if (written >= size) break
    await file.write(block)
    written += block.byteLength
  }
  await file.sync()
  await file.close()
}

function timed<T>(body: () => T): { ms: number; value: T } {
  const began = performance.now()
  const value = body()
  return { ms: performance.now() - began, value }
}
