import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createRedactor, openJournal, type Journal, type Redactor, type StoredArtifact } from '@holdfast/runtime'
import { testClock, type TestClock } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import type { DaemonStatus } from '../../src/daemon/status.ts'
import type { ApiActions } from '../../src/http/api/api.ts'
import type { StatusSource } from '../../src/http/api/source.ts'
import { createSite } from '../../src/http/page/site.ts'
import type { Page, PageRequest } from '../../src/http/pages.ts'

/** What a status page is made from, with a journal of its own and whatever store a test wants. */
export interface StatusWorld {
  readonly source: StatusSource
  readonly journal: Journal
  readonly clock: TestClock
  readonly redactor: Redactor
  /** The journal's file, for what would take too long otherwise. */
  sql(text: string): void
  ask(path: string, request?: Partial<PageRequest>): Promise<Page>
  json(path: string, request?: Partial<PageRequest>): Promise<unknown>
}

/** Options of {@link statusWorld}. */
export interface StatusWorldOptions {
  readonly plans?: readonly string[]
  readonly instance?: string
  readonly list?: () => AsyncIterable<StoredArtifact>
  readonly actions?: ApiActions
  readonly heldUndos?: ReadonlySet<string>
  /** Plans that are paused by hand. */
  readonly paused?: ReadonlyMap<string, Date>
  /** Names of drills, and of the plan that each is of. */
  readonly drills?: Readonly<Record<string, string>>
  /** When a plan runs next, and when it last succeeded. */
  readonly times?: (name: string) => { readonly next?: Date | undefined; readonly lastSuccess?: Date | undefined }
  /** Why the daemon is not ready. */
  readonly reasons?: DaemonStatus['reasons']
}

/** The time in these worlds. */
export const now = '2026-11-23T12:00:00.000Z'

/** Makes one. */
export function statusWorld(options: StatusWorldOptions = {}): StatusWorld {
  const { plans = ['shop'], instance = 'default', list = nothing, actions } = options
  const { heldUndos = new Set(), paused = new Map<string, Date>(), drills = {}, times, reasons = [] } = options
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-status-'))
  const clock = testClock({ now })
  const journal = openJournal({ directory, now: () => clock.now(), onCorrupt: () => undefined })
  const redactor = createRedactor()
  const schedule = { cron: '0 3 * * *', timeZone: 'UTC' }
  const config = {
    instance,
    plans: plans.map((name) => ({ name, schedule, maintenance: false })),
    drills: Object.entries(drills).map(([name, plan]) => ({ name, schedule, plan: { name: plan } })),
  }
  const statusOf = (name: string): object => ({
    name,
    cron: schedule.cron,
    next: undefined,
    running: false,
    lastSuccess: undefined,
    ...times?.(name),
  })
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const source = {
    version: '1.2.3',
    engine: {
      config: () => config,
      journal,
      services: { heldUndos, strayUndos: new Map(), stateDirectory: directory, process: { id: 'self', host: 'web-0' } },
      store: () => ({ list }),
      hasEnded: () => true,
    },
    status: {
      current: () => ({
        ready: reasons.length === 0,
        reasons,
        startedAt: clock.now(),
        configuration: { source: 'holdfast.yaml', loadedAt: clock.now(), waiting: false },
        plans: plans.map(statusOf),
        drills: Object.keys(drills).map(statusOf),
      }),
    },
    clock,
    redactor,
    log: quiet,
    pausedSince: (plan: string) => paused.get(plan),
  } as unknown as StatusSource
  const site = createSite({ source, actions })
  onTestFinished(() => {
    site.close()
    journal.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const ask = (path: string, request: Partial<PageRequest> = {}): Promise<Page> =>
    site.answer({ method: 'GET', url: path, accept: 'text/html', ...request })
  return {
    source,
    journal,
    clock,
    redactor,
    ask,
    json: async (path, request) => JSON.parse((await ask(path, request)).body) as unknown,
    sql(text) {
      const database = new DatabaseSync(journal.path)
      database.exec(text)
      database.close()
    },
  }
}

/** Enters a run that ended. */
export function enterRun(
  { journal, clock }: Pick<StatusWorld, 'journal' | 'clock'>,
  run: {
    readonly id: string
    readonly plan?: string
    readonly status?: 'succeeded' | 'failed'
    readonly message?: string
  },
): void {
  const { id, plan = 'shop', status = 'succeeded', message } = run
  const at = clock.now()
  journal.beginRun({ id, plan, attempt: 1, scheduledFor: at, trigger: 'schedule', dryRun: false }, 'default', 'p1')
  const error = message === undefined ? undefined : { code: 'EXEC_EXIT', message, hint: 'Look.' }
  journal.endRun(id, { status, durationMs: 2000, error: error as Parameters<Journal['endRun']>[1]['error'] })
}

/** Arms an undo that nobody gives back. */
export function armUndo({ journal }: Pick<StatusWorld, 'journal'>, id: string, run: string, names: object = {}): void {
  const undo = { id, run, plan: 'shop', instance: 'default', participant: 'database', undo: 'thaw', input: '{}' }
  journal.armUndo({ ...undo, process: 'p1', ...names })
}

/** An artifact as stores list them. */
export function artifact(
  fields: Partial<StoredArtifact> & { readonly run: string; readonly target: string },
): StoredArtifact {
  const { run, target, plan = 'shop', name = 'dump', createdAt = new Date(now) } = fields
  const base = { instance: 'default', plan, name, size: 1000, state: 'valid', startedAt: createdAt, createdAt }
  return { ...base, id: `${plan}/${target}/${run}/${name}`, ...fields } as StoredArtifact
}

async function* nothing(): AsyncGenerator<StoredArtifact> {
  // There is none.
}
