// The command line as its users start it: whole processes, from outside.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { median, type Result } from './result.ts'

const bin = join(import.meta.dirname, '../apps/sidecar/bin')
const node = process.execPath
const MiB = 1024 ** 2

/** Measures everything here. */
export async function run(): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-cli-'))
  try {
    return [version(), ...fridge(directory), ...(await daemons(directory))]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function version(): Result {
  const { ratio, a, b } = pairs(15, [node, join(bin, 'holdfast.js'), '--version'], [node, '-e', '0'])
  return {
    name: 'holdfast --version / node -e 0',
    ratio,
    bar: '≤ 2×',
    pass: ratio <= 2,
    note: `${ms(a)} against ${ms(b)}`,
  }
}

function fridge(directory: string): readonly Result[] {
  const scripts = join(directory, 'scripts')
  const backups = join(scripts, 'backups')
  mkdirSync(backups, { recursive: true })
  for (let i = 0; i < 200; i++) {
    writeFileSync(join(backups, `${String(i).padStart(3, '0')}.sh`), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  }
  const single = join(directory, 'one-script')
  mkdirSync(join(single, 'backups'), { recursive: true })
  writeFileSync(join(single, 'backups', '000.sh'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  const loop = join(directory, 'execa-loop.mjs')
  writeFileSync(
    loop,
    `import { readdirSync } from 'node:fs'
import { join } from 'node:path'
const { execa } = await import(${JSON.stringify(import.meta.resolve('execa'))})
const directory = process.argv[2]
for (const name of readdirSync(directory).sort()) {
  await execa(join(directory, name), { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', buffer: false, killDescendants: true })
}
`,
  )
  const env = {
    ...process.env,
    CRON_BACKUP_SCHEDULE: '0 3 * * *',
    HOLDFAST_STATE_DIR: join(directory, 'state'),
    TARGET_CONTAINER: 'app',
    POD_NAME: 'pod',
  }
  const command = [node, join(bin, 'fridge.js'), '-r', '-csp', scripts]
  const shell = ['/bin/sh', '-c', `for f in ${backups}/*; do "$f" || exit 1; done`]
  const execa = pairs(7, command, [node, loop, backups], env)
  const first = pairs(7, [...command.slice(0, -1), single], [node, loop, join(single, 'backups')], env)
  // What each further script costs: all but the start, as in a daemon that is up.
  const further = (execa.a - first.a) / (execa.b - first.b)
  const sh = pairs(5, command, shell, env)
  return [
    {
      name: 'fridge -r, 200 scripts / execa loop',
      ratio: execa.ratio,
      bar: '≤ 1.5×',
      pass: execa.ratio <= 1.5,
      note: `${ms(execa.a)} against ${ms(execa.b)}`,
    },
    {
      name: 'each further script / execa loop',
      ratio: further,
      bar: '≤ 1.3×',
      pass: further <= 1.3,
      note: `${((execa.a - first.a) / 199).toFixed(2)} ms against ${((execa.b - first.b) / 199).toFixed(2)} ms`,
    },
    {
      name: 'fridge -r, 200 scripts / sh loop',
      ratio: sh.ratio,
      bar: 'reported (sidefridge: 1.95×)',
      pass: true,
      note: `${ms(sh.a)} against ${ms(sh.b)}`,
    },
  ]
}

async function daemons(directory: string): Promise<readonly Result[]> {
  const starts: { readonly one: number; readonly thousand: number }[] = []
  for (let round = 0; round < 7; round++) {
    const { startMs } = await idle(directory, 1, round, false)
    starts.push({ one: startMs, thousand: (await idle(directory, 1000, round, false)).startMs })
  }
  const start = median(starts.map((pair) => pair.thousand / pair.one))
  const one = await idle(directory, 1, 7, true)
  const thousand = await idle(directory, 1000, 7, true)
  const growth = (thousand.rss - one.rss) / MiB
  return [
    {
      name: 'idle daemon, RSS',
      ratio: one.rss / 80e6,
      bar: '< 1× of 80 MB',
      pass: one.rss < 80e6,
      note: `${(one.rss / 1e6).toFixed(1)} MB, one plan, from the bundle`,
    },
    {
      name: '1,000 plans / 1 plan, start',
      ratio: start,
      bar: '≤ 3×',
      pass: start <= 3,
      note: `${ms(median(starts.map((pair) => pair.thousand)))} against ${ms(median(starts.map((pair) => pair.one)))}`,
    },
    {
      name: '1,000 plans, RSS growth',
      ratio: growth / 100,
      bar: '< 1× of 100 MiB',
      pass: growth < 100,
      note: `${growth.toFixed(1)} MiB more, ${(thousand.rss / MiB).toFixed(1)} MiB in all`,
    },
  ]
}

interface Idle {
  readonly startMs: number
  /** Bytes. */
  readonly rss: number
}

/** Starts a daemon with so many plans; with `rest`, also measures what it takes once it has come to rest. */
async function idle(directory: string, plans: number, round: number, rest: boolean): Promise<Idle> {
  const folder = join(directory, `daemon-${plans}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'hook.mjs'), hookModule)
  writeFileSync(join(folder, 'holdfast.yaml'), yaml(plans))
  const began = performance.now()
  const child = spawn(node, [join(bin, 'holdfast.js'), 'daemon', '--state-dir', join(folder, `state-${round}`)], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => void child.on('exit', () => resolve()))
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('"msg":"scheduling"')) resolve()
    })
    child.on('exit', () => reject(new Error(`the daemon ended: ${log}`)))
  })
  const startMs = performance.now() - began
  if (rest) await sleep(10_000)
  const rss = rssOf(child.pid ?? 0)
  child.kill('SIGTERM')
  await ended
  return { startMs, rss }
}

const hookModule = `export default { $type: 'holdfast.hook/v1', hook: 'maintain', entry: () => {} }\n`

function yaml(plans: number): string {
  const lines = Array.from({ length: plans }, (_, at) => {
    const cron = `${at % 60} ${Math.floor(at / 60)} * * *`
    return `  plan-${at}: { schedule: { cron: '${cron}' }, use: [./hook.mjs] }`
  })
  return `plans:\n${lines.join('\n')}\n`
}

function rssOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1024
}

/** Runs two commands in turn, and compares them pair by pair: a machine that slows down slows both. */
function pairs(
  rounds: number,
  a: readonly string[],
  b: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): { readonly ratio: number; readonly a: number; readonly b: number } {
  time(a, env)
  time(b, env)
  const times = Array.from({ length: rounds }, () => ({ a: time(a, env), b: time(b, env) }))
  return {
    ratio: median(times.map((pair) => pair.a / pair.b)),
    a: median(times.map((pair) => pair.a)),
    b: median(times.map((pair) => pair.b)),
  }
}

function time([program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): number {
  const began = performance.now()
  const { status, stderr } = spawnSync(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${String(status)}: ${stderr.toString()}`)
  return performance.now() - began
}

function ms(number: number): string {
  return `${number.toFixed(0)} ms`
}

if (import.meta.main) console.table(await run())
