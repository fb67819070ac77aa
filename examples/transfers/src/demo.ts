// The main job: a ledger that is written all the time is backed up while it stands still for a moment, verified,
// pruned, restored and audited; then the same with the backup killed at the worst moment.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ended, holdfastWith, type ArtifactReport, type RunReport } from './holdfast.ts'
import { audit } from './ledger.ts'
import { bytes, check, heading, ms, step } from './say.ts'

const here = join(import.meta.dirname, '..')
const data = join(here, '..', '..', 'demo-data')
const [state, ledger, pauseFile] = [join(data, 'state'), join(data, 'app', 'ledger.sqlite'), join(data, 'app', 'pause')]
rmSync(data, { recursive: true, force: true })
mkdirSync(join(data, 'app'), { recursive: true })

const env = { ...process.env, LEDGER: ledger, PAUSE_FILE: pauseFile, AUDIT: join(here, 'src', 'audit.ts') }
const options = ['--config', join(here, 'holdfast.config.ts'), '--state-dir', state]
const holdfast = holdfastWith(options, env)
const writer = spawn(process.execPath, [join(here, 'src', 'writer.ts'), ledger, pauseFile], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
process.once('exit', () => writer.kill())

const until = async (condition: () => boolean, what: string): Promise<void> => {
  for (const end = Date.now() + 20_000; !condition(); await sleep(10)) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
  }
}
const transfers = (): number => audit(ledger).transfers
const report = (run: string): Promise<RunReport> => holdfast.json(['history', run])
const newest = async (): Promise<RunReport> => {
  const runs = await holdfast.json<readonly RunReport[]>(['history', '--plan', 'ledger'])
  return report(runs.find(({ trigger }) => trigger !== 'boot')?.id ?? '')
}
const stoodStill = ({ undos }: RunReport): number => {
  const [undo] = undos.filter(({ undo: name }) => name === 'resume-writer')
  return undo?.settledAt === undefined ? NaN : Date.parse(undo.settledAt) - Date.parse(undo.armedAt)
}

heading('An application')
await once(writer.stdout, 'data')
await until(() => transfers() > 100, 'the application writes')
step(`moves money between 100 accounts, all the time: ${transfers()} transfers so far.`)
step('Whatever happens, the accounts together must hold 100000.')

heading('Three backups, each at a moment at which the application stands still')
for (let count = 1; count <= 3; count++) {
  await holdfast.run(['run', 'ledger'])
  const run = await newest()
  const artifacts = await holdfast.json<readonly ArtifactReport[]>(['list'])
  const artifact = artifacts.find((each) => each.run === run.id)
  check(
    run.status === 'succeeded' && run.targets[0]?.verification === 'verified',
    `backup ${count}: ${run.status} and ${run.targets[0]?.verification} in ${ms(run.durationMs ?? 0)}; ` +
      `the application stood still for ${ms(stoodStill(run))}; ` +
      `${bytes(artifact?.size ?? 0)}, stored as ${bytes(artifact?.storedSize ?? 0)}`,
  )
}
const kept = await holdfast.json<readonly ArtifactReport[]>(['list'])
check(kept.length === 2, `retention keeps the newest two of them, and removed the first`)

heading('A restore into a new place')
const restored = join(data, 'restored')
await holdfast.run(['restore', '--plan', 'ledger', '--to', `${restored}/`])
const archive = readdirSync(restored).find((name) => name.endsWith('.tar')) ?? ''
execFileSync('tar', ['-C', restored, '-xf', join(restored, archive)])
const copy = audit(join(restored, 'ledger.sqlite'))
check(copy.balanced, `the copy has ${copy.transfers} transfers, and its accounts hold ${copy.sum}: no money is missing`)
check(transfers() > copy.transfers, `the application has gone on meanwhile: ${transfers()} transfers`)

heading('The same, killed by kill -9 while the application stands still')
const doomed = holdfast.start(['run', 'ledger'], { DEMO_SLEEP: '60' })
await until(() => existsSync(pauseFile) && existsSync(`${pauseFile}.standing`), 'the application stands still')
doomed.kill('SIGKILL')
await ended(doomed)
const before = transfers()
await sleep(700)
check(transfers() === before, 'the backup is dead, and the application still stands: nobody is left to let it go')
const restart = performance.now()
const daemon = holdfast.start(['daemon'])
await until(() => transfers() > before, 'the application goes on')
check(
  true,
  `a restarted Holdfast lets it go first: the application writes again ${ms(performance.now() - restart)} after the start`,
)
await until(() => existsSync(join(state, 'status.json')), 'the daemon is up')
const interrupted = await newest()
check(
  interrupted.status === 'aborted',
  `the interrupted run is on record as ${interrupted.status}: ${interrupted.error?.message}`,
)
await holdfast.run(['run', 'ledger'])
const next = await newest()
check(
  next.status === 'succeeded',
  `the next run ${next.status}, beside the running daemon; the application stood still for ${ms(stoodStill(next))}`,
)
const left = await holdfast.json<readonly ArtifactReport[]>(['list'])
check(!left.some(({ run }) => run === interrupted.id), 'nothing of the interrupted run is listed as a backup')
await holdfast.run(['verify', '--all'])
check(true, `everything in the store was read back once more: ${left.length} artifacts`)
daemon.kill('SIGTERM')
check((await ended(daemon)) === 0, 'the idle daemon stops when it is told to, with exit code 0')
writer.kill()
const end = audit(ledger)
check(end.balanced, `the application's own ledger: ${end.transfers} transfers, balanced`)

heading('Look around')
const shown = options.map((word) => (word.startsWith('/') ? relative(process.cwd(), word) : word)).join(' ')
for (const command of ['history', 'list', 'restore --plan ledger --to ./somewhere/'])
  step(`npx holdfast ${command} ${shown}`)
