// What scripts pay for a variable: a save_var and a load_var, against one start of the interpreter that sidefridge's
// store_var and load_var needed for each.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, type Result } from './result.ts'

const bin = join(import.meta.dirname, '../apps/sidecar/bin')
const rounds = 40
const callsPerRound = 10
const bar = 0.3

/**
 * Measures in turns, so that what else the machine does falls on all alike, and compares medians. A shell makes the
 * calls, as in a script.
 */
export async function run(): Promise<Result[]> {
  const python = fastestPython()
  if (python === undefined) return [{ name: 'vars', ratio: Number.NaN, bar: '', pass: true, note: 'no python3 here' }]
  const directory = mkdtempSync(join(tmpdir(), 'vars-bench-'))
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, HOLDFAST_VARS: directory, python }
  const loop = (round: number, body: string): void => {
    const script = `i=0; while [ $i -lt ${callsPerRound} ]; do i=$((i + 1)); ${body}; done >/dev/null`
    const { status, stderr } = spawnSync('sh', ['-ec', script], { env: { ...env, round: `${round}` } })
    if (status !== 0) throw new Error(`${body}: ${stderr.toString()}`)
  }
  const subjects = {
    python: '"$python" -c pass',
    fresh: 'save_var "key-$round-$i" /backups/2026-01-01.dump; load_var "key-$round-$i"',
    again: 'save_var key /backups/2026-01-01.dump; load_var key',
    process: '/bin/true',
  }
  const times: Record<keyof typeof subjects, number[]> = { python: [], fresh: [], again: [], process: [] }
  try {
    for (let round = -2; round < rounds; round++) {
      for (const [name, body] of Object.entries(subjects)) {
        const began = performance.now()
        loop(round, body)
        if (round >= 0) times[name as keyof typeof subjects].push(performance.now() - began)
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  const base = median(times.python)
  const ratioOf = (values: readonly number[]): number => median(values) / base
  const fresh = ratioOf(times.fresh)
  return [
    {
      name: 'save_var + load_var',
      ratio: fresh,
      bar: `≤ ${bar}× of python3 -c pass`,
      pass: fresh <= bar,
      note: `the fastest python3 here; an empty process (/bin/true) takes ${ratioOf(times.process).toFixed(2)}×`,
    },
    {
      name: 'save_var + load_var, where the key had a value',
      ratio: ratioOf(times.again),
      bar: 'none',
      pass: true,
      note: 'replacing a value atomically takes one more process (mv)',
    },
  ]
}

/** A version manager's stand-in is slower than Python itself, and no fair measure. */
function fastestPython(): string | undefined {
  const found = ['/usr/bin/python3', '/usr/local/bin/python3']
  try {
    found.push(execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim())
  } catch {
    // None on PATH.
  }
  const times = [...new Set(found)].flatMap((python) => {
    const runs = Array.from({ length: 7 }, () => {
      const began = performance.now()
      return spawnSync(python, ['-c', 'pass']).status === 0 ? performance.now() - began : Number.NaN
    })
    return runs.some(Number.isNaN) ? [] : [{ python, time: median(runs) }]
  })
  return times.toSorted((a, b) => a.time - b.time)[0]?.python
}
