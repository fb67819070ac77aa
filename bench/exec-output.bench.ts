import { execa } from 'execa'
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createExec } from '../packages/runtime/src/exec/create-exec.ts'
import { rawOutput } from '../packages/runtime/src/exec/output.ts'
import { systemClock } from '../packages/runtime/src/clock.ts'
import { createRedactor } from '../packages/runtime/src/telemetry/redaction.ts'
import { median } from './result.ts'

interface BenchResult {
  readonly name: string
  readonly ratio: number
  readonly bar: string
  readonly pass: boolean
  readonly note?: string
}

const MiB = 2 ** 20
const commands = 200
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * What it costs to run scripts: a gigabyte of output passed through raw, with the tail kept and one secret blanked, and
 * trivial scripts one after the other. Interleaved pairs, medians.
 */
export async function run(): Promise<BenchResult[]> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
  const toNull = openSync('/dev/null', 'w')
  try {
    const redactor = createRedactor()
    redactor.add('correct-horse-battery-staple')
    const exec = createExec({
      clock: systemClock,
      redactor,
      log: quiet,
      output: rawOutput({ stdout: toNull, stderr: toNull }),
      signal: new AbortController().signal,
    })
    const loud = script(
      directory,
      'loud',
      `yes '${'a line of sixty-four bytes, '.padEnd(63, '.')}' | head -c ${1024 * MiB}`,
    )
    const trivial = script(directory, 'trivial', 'echo done')
    return [...(await throughput(exec, loud)), await perCommand(exec, trivial)]
  } finally {
    closeSync(toNull)
    rmSync(directory, { recursive: true })
  }
}

type Runner = ReturnType<typeof createExec>

async function throughput(exec: Runner, file: string): Promise<BenchResult[]> {
  let growth = 0
  const times = await pairs(5, {
    ours: async () => {
      const before = process.memoryUsage.rss()
      const look = setInterval(() => (growth = Math.max(growth, process.memoryUsage.rss() - before)), 10)
      const { bytes } = await exec.local({ command: [file], stdout: 'log' })
      clearInterval(look)
      if (bytes !== 1024 * MiB) throw new Error(`${bytes} bytes arrived`)
    },
    theirs: async () => {
      await execa('sh', ['-c', `${file} | cat >/dev/null`], { stdio: 'ignore' })
    },
  })
  const ratio = times.theirs / times.ours
  return [
    {
      name: 'raw output of 1 GiB: throughput against `| cat >/dev/null`',
      ratio,
      bar: '≥ 0.5',
      pass: ratio >= 0.5,
      note: `${Math.round(1024 / (times.ours / 1000))} MiB/s against ${Math.round(1024 / (times.theirs / 1000))} MiB/s`,
    },
    {
      name: 'raw output of 1 GiB: growth of RSS, in MiB',
      ratio: growth / MiB,
      bar: '≤ 64',
      pass: growth <= 64 * MiB,
    },
  ]
}

async function perCommand(exec: Runner, file: string): Promise<BenchResult> {
  const many = async (one: () => Promise<unknown>): Promise<void> => {
    for (let n = 0; n < commands; n++) await one()
  }
  const times = await pairs(5, {
    ours: () => many(() => exec.local({ command: [file], stdout: 'log' })),
    theirs: () => many(() => execa(file, { stdin: 'ignore', killDescendants: true })),
  })
  const ratio = times.ours / times.theirs
  return {
    name: `${commands} trivial scripts: exec.local against bare \`await execa(file)\``,
    ratio,
    bar: '≤ 1.3',
    pass: ratio <= 1.3,
    note: `${(times.ours / commands).toFixed(2)} ms against ${(times.theirs / commands).toFixed(2)} ms each`,
  }
}

/** Medians in ms of both, run in turn after one round to warm up. */
async function pairs(
  rounds: number,
  both: { ours: () => Promise<void>; theirs: () => Promise<void> },
): Promise<{ ours: number; theirs: number }> {
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] }
  for (let round = 0; round <= rounds; round++) {
    for (const who of ['theirs', 'ours'] as const) {
      const begin = performance.now()
      await both[who]()
      if (round > 0) times[who].push(performance.now() - begin)
    }
  }
  return { ours: median(times.ours), theirs: median(times.theirs) }
}

function script(directory: string, name: string, body: string): string {
  const file = join(directory, name)
  writeFileSync(file, `#!/bin/sh\n${body}\n`)
  chmodSync(file, 0o755)
  return file
}
