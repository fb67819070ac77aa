// What a thousand plans cost the scheduler: its start as a process, its memory, and how late it is when all are due at
// the same moment.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { median, type Result } from './result.ts'

const rounds = 9

/** Measures in turns, each in a process of its own, and compares medians. */
export async function run(): Promise<Result[]> {
  const start: Record<'one' | 'many', { ms: number; rss: number }[]> = { one: [], many: [] }
  for (let round = -1; round < rounds; round += 1) {
    for (const [key, plans] of [
      ['one', 1],
      ['many', 1000],
    ] as const) {
      const began = performance.now()
      const { rss = 0 } = child('start', plans)
      if (round >= 0) start[key].push({ ms: performance.now() - began, rss })
    }
  }
  const ms = (key: 'one' | 'many'): number => median(start[key].map((sample) => sample.ms))
  const ratio = ms('many') / ms('one')
  const mebibytes = (median(start.many.map(({ rss }) => rss)) - median(start.one.map(({ rss }) => rss))) / 2 ** 20
  const late = (plans: number): { p99: number; note: string } => {
    const samples = Array.from({ length: 3 }, () => child('burst', plans)).toSorted(
      (a, b) => (a.p99 ?? 0) - (b.p99 ?? 0),
    )
    // The worst of three.
    const { p99 = Infinity, most = 0, settledMs = 0 } = samples.at(-1) ?? {}
    return {
      p99,
      note: `p99 ${p99} ms late, the last ${most} ms; all next slots known ${settledMs.toFixed(0)} ms later`,
    }
  }
  const thousand = late(1000)
  const tenThousand = late(10_000)
  return [
    {
      name: 'scheduler, 1,000 plans: start of the process against one plan',
      ratio,
      bar: '≤ 3×',
      pass: ratio <= 3,
      note: `${ms('one').toFixed(0)} ms and ${ms('many').toFixed(0)} ms`,
    },
    {
      name: 'scheduler, 1,000 plans: memory over that of one plan',
      ratio: mebibytes / 100,
      bar: '≤ 1× of 100 MiB',
      pass: mebibytes <= 100,
      note: `${mebibytes.toFixed(1)} MiB`,
    },
    {
      name: 'scheduler, 1,000 fires due at once: lateness',
      ratio: thousand.p99 / 100,
      bar: '≤ 1× of 100 ms (p99)',
      pass: thousand.p99 <= 100,
      note: thousand.note,
    },
    {
      name: 'scheduler, 10,000 fires due at once: lateness',
      ratio: tenThousand.p99 / 100,
      bar: 'reported',
      pass: true,
      note: tenThousand.note,
    },
  ]
}

interface Sample {
  readonly rss?: number
  readonly p99?: number
  readonly most?: number
  readonly settledMs?: number
}

function child(mode: 'start' | 'burst', plans: number): Sample {
  const script = join(import.meta.dirname, 'schedule.child.ts')
  const args = ['--conditions=@holdfast/source', script, mode, `${plans}`]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Sample
}
