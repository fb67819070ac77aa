import type { HoldfastFailure, Outcome, Run } from '@holdfast/sdk'
import type { RunRecord, TargetRecord, UndoRecord } from '../journal/records.ts'
import type { Facts } from './words.ts'

/** Who tells. */
export interface Teller {
  readonly at: Date
  readonly instance: string
  readonly host: string
}

/** Of a run that begins. */
export function startFacts(run: Run, maintenance: boolean, teller: Teller): Facts {
  return { ...teller, ...nothing, ...of(run), kind: 'start', maintenance }
}

/** How a run ended. */
export function endFacts(
  run: Run,
  { status, reason, targets, error, warnings }: Outcome,
  { durationMs, ...about }: Pick<Facts, 'kind' | 'maintenance' | 'since'> & { readonly durationMs: number | undefined },
  teller: Teller,
): Facts {
  return {
    ...teller,
    ...about,
    ...of(run, { status, reason, durationMs }),
    ...errorFacts(error),
    targets: targets.map(({ target, status: ended, verification, error: own }) => ({
      id: target.id,
      status: ended,
      verification,
      code: own?.code,
    })),
    warnings: warnings.map(({ code }) => code),
  }
}

/** A run that died with its process, as the journal has it. */
export function interruptedFacts(
  { status, reason, durationMs, error, warnings, ...run }: RunRecord,
  targets: readonly TargetRecord[],
  maintenance: boolean,
  teller: Teller,
): Facts {
  return {
    ...teller,
    ...of(run, { status: status ?? 'aborted', reason, durationMs }),
    ...errorFacts(error),
    kind: 'failure',
    maintenance,
    targets: targets.map(({ target, status: ended, verification, error: own }) => ({
      id: target,
      status: ended,
      verification,
      code: own?.code,
    })),
    warnings: warnings.map(({ code }) => code),
  }
}

/** A plan or a drill that has not succeeded for too long. */
export function staleFacts(about: Pick<Facts, 'plan' | 'drill' | 'maintenance' | 'since'>, teller: Teller): Facts {
  return { ...teller, ...nothing, ...about, kind: 'stale' }
}

/** Something that is not given back, or is at last. */
export function undoFacts(
  kind: 'undo' | 'recovery',
  { id, undo, participant, plan }: Pick<UndoRecord, 'id' | 'undo' | 'participant' | 'plan'>,
  since: Date | undefined,
  teller: Teller,
): Facts {
  const about = { id, name: undo, plugin: participant }
  return { ...teller, ...nothing, kind, plan, maintenance: false, undo: about, since }
}

/** Nothing has happened. */
export function testFacts(about: Pick<Facts, 'plan' | 'drill' | 'maintenance'>, teller: Teller): Facts {
  return { ...teller, ...nothing, ...about, kind: 'test' }
}

const nothing = { targets: [], warnings: [] } as const

function of(run: Run, ended?: Omit<NonNullable<Facts['run']>, 'id' | 'trigger' | 'attempt' | 'scheduledFor'>) {
  const { id, trigger, attempt, scheduledFor, plan, drill } = run
  return { plan, drill, run: { id, trigger, attempt, scheduledFor, ...ended } }
}

function errorFacts(error: Pick<HoldfastFailure, 'code' | 'message' | 'hint' | 'plugin' | 'hook'> | undefined) {
  if (!error) return {}
  const { code, message, hint, plugin, hook } = error
  return { code, plugin, hook, error: { code, message, hint } }
}
