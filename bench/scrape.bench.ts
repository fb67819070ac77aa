// What a scrape of a daemon with a thousand plans costs, of which each has run: against prom-client alone with as many
// series, in a process of its own behind a bare HTTP server.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { median, type Result } from './result.ts'

const plans = 1000
const rounds = 101
const warmUp = 30
const bar = 1.3

/** Scrapes both in turns, so that a machine that slows down slows both, and compares them pair by pair. */
export async function run(): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-scrape-'))
  const children: ChildProcess[] = []
  try {
    const ours = join(directory, 'state', 'http.sock')
    const daemon = startDaemon(directory)
    children.push(daemon)
    const page = await whenAllHaveRun(ours)
    const file = join(directory, 'page.txt')
    writeFileSync(file, page)
    const bare = join(directory, 'bare.sock')
    const other = startBare(file, bare)
    children.push(other)
    await said(other, 'ready')
    const [series, others] = [seriesIn(page), seriesIn((await scrape(bare)).text)]
    if (series !== others) throw new Error(`${series} series against ${others}`)
    const times: { readonly ours: number; readonly bare: number }[] = []
    for (let round = -warmUp; round < rounds; round++) {
      // Each first in turn.
      const first = round % 2 === 0
      const a = first ? await scrape(ours) : undefined
      const b = await scrape(bare)
      const c = a ?? (await scrape(ours))
      if (round >= 0) times.push({ ours: c.ms, bare: b.ms })
    }
    const ratio = median(times.map((pair) => pair.ours / pair.bare))
    const memory = (rssOf(daemon) - rssOf(other)) / 2 ** 20
    return [
      {
        name: `a scrape with ${plans.toLocaleString('en')} plans / prom-client alone with as many series`,
        ratio,
        bar: `≤ ${bar}×`,
        pass: ratio <= bar,
        note:
          `${median(times.map((pair) => pair.ours)).toFixed(0)} ms against ` +
          `${median(times.map((pair) => pair.bare)).toFixed(0)} ms, ${series.toLocaleString('en')} series, ` +
          `${(page.length / 2 ** 20).toFixed(1)} MiB, ${rounds} pairs; the daemon's RSS is ${memory.toFixed(0)} MiB larger`,
      },
    ]
  } finally {
    for (const child of children) await stop(child)
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A daemon whose plans are all due in the next minute, and then not for a year: nothing runs while it is measured. */
function startDaemon(directory: string): ChildProcess {
  mkdirSync(join(directory, 'state'))
  writeFileSync(
    join(directory, 'hook.mjs'),
    `export default { $type: 'holdfast.hook/v1', hook: 'backups', entry: (ctx) => ctx.createArtifact('x', (sink) => sink.write(Buffer.from('x'))) }\n`,
  )
  const due = new Date(Date.now() + 60_000)
  const cron = `${due.getUTCMinutes()} ${due.getUTCHours()} ${due.getUTCDate()} ${due.getUTCMonth() + 1} *`
  const lines = Array.from(
    { length: plans },
    (_, at) => `  plan-${at}: { schedule: { cron: '${cron}', timeZone: UTC }, use: [./hook.mjs] }`,
  )
  writeFileSync(join(directory, 'holdfast.yaml'), `plans:\n${lines.join('\n')}\n`)
  const bin = join(import.meta.dirname, '../apps/sidecar/bin/holdfast.js')
  const args = ['daemon', '--state-dir', join(directory, 'state'), '--listen', '0', '--log-level', 'error']
  return spawn(process.execPath, [bin, ...args], { cwd: directory, stdio: ['ignore', 'ignore', 'ignore'] })
}

function startBare(page: string, socket: string): ChildProcess {
  const child = join(import.meta.dirname, 'scrape.child.ts')
  return spawn(process.execPath, [child, page, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** However: on a busy machine the store may be too slow for a thousand at once. @returns the page */
async function whenAllHaveRun(socket: string): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    await sleep(3000)
    const text = await scrape(socket).then(
      (answer) => answer.text,
      () => '',
    )
    if (text.split(/^holdfast_run_last_completion_timestamp_seconds\{/m).length - 1 === plans) return text
  }
  throw new Error('not all plans have run within five minutes')
}

function scrape(socketPath: string): Promise<{ readonly ms: number; readonly text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ ms: number; text: string }>()
  const began = performance.now()
  const asked = request({ socketPath, path: '/metrics', agent: false }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => resolve({ ms: performance.now() - began, text: Buffer.concat(chunks).toString() }))
    response.on('error', reject)
  })
  asked.on('error', reject)
  asked.end()
  return promise
}

function seriesIn(page: string): number {
  return page.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
}

function said(child: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes(word)) resolve()
    })
    child.on('exit', () => reject(new Error('it ended')))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => void child.on('exit', () => resolve()))
  child.kill('SIGTERM')
  await ended
}

/** Bytes. */
function rssOf({ pid = 0 }: ChildProcess): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

if (import.meta.main) console.table(await run())
