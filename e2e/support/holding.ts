// A configuration whose runs hold something until they are done: a file, which an undo removes.
import { access, chmod, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { waitFor } from './kubectl.ts'
import type { Pod } from './pods.ts'

/** Where the file is, and where runs are noted. */
export const holdingFiles = { held: '/shared/held', go: '/shared/go', runs: '/shared/runs' } as const

/**
 * `holdfast.config.ts` of a plan `hold`: arms an undo, makes the file, and backs up for as long as `go` is not there.
 *
 * @param settings - further members of the configuration, as TypeScript
 */
export function holdingConfig(settings: string, seconds = 600): string {
  return `
import { appendFile, access, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { defineConfig, defineHook, defineUndo } from '@holdfast/sdk'
import { z } from 'zod'

const who = process.env.POD_NAME ?? hostname()
const note = (what, run) => appendFile('${holdingFiles.runs}', JSON.stringify({ what, who, run: run.id, trigger: run.trigger, slot: run.scheduledFor, at: Date.now() }) + '\\n')
const exists = (path) => access(path).then(() => true, () => false)

const release = defineUndo({
  name: 'release',
  input: z.strictObject({ file: z.string() }),
  deadline: '2m',
  run: async ({ file }, { run, recovered }) => {
    await rm(file, { force: true })
    await note(recovered ? 'recovered' : 'released', run)
  },
})
const hold = defineHook('beforeBackups', async ({ undo, run }) => {
  await note('begun', run)
  await undo.arm(release, { file: '${holdingFiles.held}' })
  await writeFile('${holdingFiles.held}', who)
}, { name: 'hold', undos: [release] })
const backup = defineHook('backups', async ({ createArtifact, clock, signal, run }) => {
  for (let second = 0; second < ${seconds} && !(await exists('${holdingFiles.go}')); second++) await clock.sleep(1000, signal)
  await createArtifact('data', (sink) => sink.write(Buffer.from('data of ' + run.id)))
  await note('backed up', run)
}, { name: 'backup' })

export default defineConfig({
  plans: [{ name: 'hold', schedule: { cron: '* * * * *' }, use: [hold, backup], budget: '15m' }],
  ${settings}
})
`
}

/** A directory of this machine, for pods to have as `/shared`. */
export async function sharedDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-e2e-chart-'))
  await chmod(directory, 0o777)
  return directory
}

/** What a run has noted. */
export interface Note {
  readonly what: string
  /** The pod. */
  readonly who: string
  readonly run: string
}

/** What runs have noted in a {@link sharedDirectory}, oldest first. */
export async function notesIn(shared: string): Promise<readonly Note[]> {
  const text = await readFile(join(shared, basename(holdingFiles.runs)), 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Note)
}

/** Whether something is held. */
export function isHeldIn(shared: string): Promise<boolean> {
  return access(join(shared, basename(holdingFiles.held))).then(
    () => true,
    () => false,
  )
}

/** Waits for the next run of one of these pods, until it holds something. */
export function underWayIn(shared: string, pods: readonly Pod[]): Promise<Note> {
  return waitFor(
    'a run that holds something',
    async () => {
      const last = (await notesIn(shared)).at(-1)
      const isTheirs = pods.some(({ metadata }) => metadata.name === last?.who)
      return last?.what === 'begun' && isTheirs && (await isHeldIn(shared)) ? last : undefined
    },
    90,
  )
}
