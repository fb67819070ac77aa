import { isDrillCleanup, type HookRecord, type TargetRecord, type UndoRecord } from '@holdfast/runtime'
import { partOf, type Part } from './parts.ts'
import { failureView, summaryOf, unknownRun, type FailureView, type RunSummary } from './runs.ts'
import type { StatusSource } from './source.ts'

/** Something of a run that took time. */
export interface Span {
  /** Since the run began. */
  readonly offsetMs: number
  /** Of what goes on: until now, and `ended` is false. */
  readonly durationMs: number
  readonly ended: boolean
}

/** What an undo gives back: what stands still, or the room that a restore drill takes. */
export type UndoKind = 'held' | 'cleanup'

/** One call of a hook. */
export interface HookSpan extends Span {
  readonly hook: string
  readonly participant: string
  readonly target?: string | undefined
  readonly attempt: number
  readonly error?: FailureView | undefined
}

/** From when an undo was armed until it had run. */
export interface UndoSpan extends Span {
  readonly id: string
  /** `cleanup`: it removes what a restore drill made, and nothing stands still meanwhile. */
  readonly kind: UndoKind
  readonly undo: string
  readonly participant: string
  readonly state: UndoRecord['state']
  readonly attempts: number
  readonly armedAt: string
  readonly settledAt?: string | undefined
  readonly error?: string | undefined
}

/** How a target of a run ended. */
export interface TargetResult extends Omit<TargetRecord, 'error'> {
  readonly error?: FailureView | undefined
}

/** Everything about one run. */
export interface RunView extends RunSummary {
  readonly hooks: readonly HookSpan[]
  readonly undos: readonly UndoSpan[]
  readonly targets: readonly TargetResult[]
  /** When anything of it stood still; windows that touch are one. */
  readonly held: readonly Pick<Span, 'offsetMs' | 'durationMs'>[]
  /** How long that was in all. */
  readonly heldMs: number
  /** What a timeline has to show: later than the run's own end where an undo came later. */
  readonly totalMs: number
  /** How many of each come after this part: of runs with very many targets not all are in one answer. */
  readonly leftOut: { readonly hooks: number; readonly undos: number; readonly targets: number }
  /** What to ask for to get them. */
  readonly next?: Readonly<Record<string, string>> | undefined
}

/** Of hooks, undos and targets each. */
const usualRows = 200

/**
 * One run with its timeline.
 *
 * @param query - `limit`, `offset`: of each list
 * @throws HoldfastError `RUN_UNKNOWN`, `API_PARAMETER`
 */
export function readRun(source: StatusSource, id: string, query: URLSearchParams, usual = usualRows): RunView {
  const { journal } = source.engine
  const now = source.clock.now()
  const run = journal.history.run(id)
  if (!run) throw unknownRun(source, id)
  const began = run.startedAt.getTime()
  // What a dead process left open did not go on for longer than its run.
  const until = run.endedAt ?? now
  const hooks = journal.hooks(id).map((hook) => hookSpan(hook, began, until))
  const undos = journal.undos(id).map((undo) => undoSpan(undo, began, now))
  const targets = journal.targets(id).map(({ error, ...target }) => ({ ...target, error: error && failureView(error) }))
  const summary = summaryOf(run, now)
  const ends = [...hooks, ...undos].map(({ offsetMs, durationMs }) => offsetMs + durationMs)
  const held = together(undos.filter(({ kind }) => kind === 'held'))
  const parts = {
    hooks: partOf(hooks, query, usual),
    undos: partOf(undos, query, usual),
    targets: partOf(targets.toSorted(byNeed), query, usual),
  }
  const next = parts.hooks.next ?? parts.undos.next ?? parts.targets.next
  return {
    ...summary,
    hooks: parts.hooks.items,
    undos: parts.undos.items,
    targets: parts.targets.items,
    held: held.slice(0, mostWindows),
    heldMs: held.reduce((sum, { durationMs }) => sum + durationMs, 0),
    totalMs: ends.reduce((latest, end) => Math.max(latest, end), summary.durationMs),
    leftOut: { hooks: left(parts.hooks), undos: left(parts.undos), targets: left(parts.targets) },
    next,
  }
}

/** More are not told apart in a picture. */
const mostWindows = 300

function left({ total = 0, next }: Part<unknown>): number {
  return next ? total - Number(next['offset']) : 0
}

/** What failed first: nobody shall look for it among hundreds. */
function byNeed(a: TargetResult, b: TargetResult): number {
  return needOf(b) - needOf(a)
}

function needOf({ status, verification }: TargetResult): number {
  if (status === 'failed') return 3
  if (verification === 'unverified') return 2
  return status === 'succeeded' ? 0 : 1
}

function hookSpan(record: HookRecord, began: number, until: Date): HookSpan {
  const { hook, participant, target, attempt, startedAt, durationMs, error } = record
  return {
    hook,
    participant,
    target,
    attempt,
    offsetMs: Math.max(0, startedAt.getTime() - began),
    durationMs: durationMs ?? Math.max(0, until.getTime() - startedAt.getTime()),
    ended: durationMs !== undefined,
    error: error && failureView(error),
  }
}

function undoSpan(record: UndoRecord, began: number, now: Date): UndoSpan {
  const { id, undo, participant, state, attempts, armedAt, settledAt, error } = record
  return {
    id,
    kind: kindOf(record),
    undo,
    participant,
    state,
    attempts,
    armedAt: armedAt.toISOString(),
    settledAt: settledAt?.toISOString(),
    offsetMs: Math.max(0, armedAt.getTime() - began),
    durationMs: Math.max(0, (settledAt ?? now).getTime() - armedAt.getTime()),
    ended: settledAt !== undefined,
    error,
  }
}

/** What spans cover together. */
function together(spans: readonly Span[]): RunView['held'] {
  const found: { readonly offsetMs: number; durationMs: number }[] = []
  for (const { offsetMs, durationMs } of spans.toSorted((a, b) => a.offsetMs - b.offsetMs)) {
    const last = found.at(-1)
    if (!last || offsetMs > last.offsetMs + last.durationMs) found.push({ offsetMs, durationMs })
    else last.durationMs = Math.max(last.durationMs, offsetMs + durationMs - last.offsetMs)
  }
  return found
}

/** What an undo gives back. */
export function kindOf(undo: Pick<UndoRecord, 'undo' | 'participant'>): UndoKind {
  return isDrillCleanup(undo) ? 'cleanup' : 'held'
}
