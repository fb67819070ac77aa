// What a leader says of its work with every renewal of its lease, so that the next one loses nothing of it.
import type { Engine, FormerLeader, FormerPauses, RunUnderWay } from '@holdfast/runtime'
import { scheduledNameOf } from '../drills.ts'

/** What is handed over. */
export interface Handover {
  /** Slots up to here were dealt with, but for those of plans that are running. */
  readonly handledUntil: Date | undefined
  readonly runs: readonly RunUnderWay[]
  /** Slots of these plans were dealt with up to then only: a later one was begun, or waits, and no run of it is on record. */
  readonly waiting: readonly WaitingPlan[]
  /** Former leaders whose undos may still be pending; they lead no more, whatever their pods do. */
  readonly processes: readonly string[]
  /** The plans that are paused by hand, as of the last renewal; `undefined`: a version that did not say. */
  readonly pauses: FormerPauses | undefined
}

/** A plan, or a drill, of which a slot may be lost with its leader. */
export interface WaitingPlan {
  /** What the scheduler calls it. */
  readonly plan: string
  readonly handledUntil: Date
}

/** Added to, never changed. */
const schema = 1
/** An annotation has its limits; nobody runs more plans at once. */
const mostRuns = 500

const nothing: Handover = { handledUntil: undefined, runs: [], waiting: [], processes: [], pauses: undefined }

/** Names a process in a lease: its pod first, for people, and what the engine knows it by last. */
export function leaderIdentity({ services }: Pick<Engine, 'services'>, pod: string | undefined): string {
  const { id, host, pod: uid } = services.process
  return [pod ?? host, uid ?? '', id].join('_')
}

/** What the engine knows a leader by. */
export function processOf(identity: string): string {
  return identity.slice(identity.lastIndexOf('_') + 1)
}

/** As the annotation has it. */
export function formatHandover({ handledUntil, runs, waiting, processes, pauses }: Handover): string {
  return JSON.stringify({
    schema,
    handledUntil,
    processes,
    runs: runs.slice(0, mostRuns),
    ...(waiting.length > 0 && { waiting: waiting.slice(0, mostRuns) }),
    ...(pauses && { paused: Object.fromEntries([...pauses.paused].slice(0, mostRuns)), pausedUntil: pauses.until }),
  })
}

/** What a leader left; of an annotation that can't be read, or of no version that we know, nothing but the lease. */
export function readHandover(former: FormerLeader | undefined): Handover {
  if (!former) return nothing
  const { identity, renewedAt } = former
  const left = parse(former.handover)
  const holder = identity === '' ? [] : [processOf(identity)]
  return {
    handledUntil: left.handledUntil ?? renewedAt,
    runs: left.runs,
    waiting: left.waiting,
    processes: [...new Set([...left.processes, ...holder])],
    pauses: left.pauses,
  }
}

/** Up to when the slots of a plan, or of a drill, were dealt with by the leader before. */
export function dealtWithUntil({ handledUntil: all, runs, waiting }: Handover, plan: string): Date | undefined {
  const own = [
    ...runs.flatMap(({ run }) => (scheduledNameOf(run) === plan ? [run.scheduledFor] : [])),
    ...waiting.flatMap((each) => (each.plan === plan ? [each.handledUntil] : [])),
  ]
  // Behind a run that was not finished others may have waited.
  return [...own, ...(all ? [all] : [])].toSorted((a, b) => a.getTime() - b.getTime())[0]
}

type Written = Omit<Handover, 'pauses'> & {
  readonly paused: Readonly<Record<string, string>>
  readonly pausedUntil: string
}

function parse(text: string | undefined): Handover {
  try {
    const read = JSON.parse(text ?? '') as Partial<Written> & { readonly schema?: unknown }
    if (read.schema !== schema) return nothing
    return {
      handledUntil: read.handledUntil && new Date(read.handledUntil),
      processes: read.processes ?? [],
      pauses: read.paused && {
        paused: new Map(Object.entries(read.paused).map(([plan, since]) => [plan, new Date(since)])),
        until: new Date(read.pausedUntil ?? 0),
      },
      waiting: (read.waiting ?? []).map(({ plan, handledUntil }) => ({ plan, handledUntil: new Date(handledUntil) })),
      runs: (read.runs ?? []).map((each) => ({
        ...each,
        run: { ...each.run, scheduledFor: new Date(each.run.scheduledFor) },
        startedAt: new Date(each.startedAt),
      })),
    }
  } catch {
    return nothing
  }
}
