import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { DrillCleanupContext, Duration, Json, UndoContext, UndoDefinition, Vars } from '@holdfast/sdk'
import { extend } from '../lifecycle/service-context.ts'
import type { ResolvedDrillCode } from '../load/resolved.ts'
import { drillOfId } from './drill-name.ts'
import { removeScratch } from './scratch.ts'

/** What is known of a drill before it restores anything: enough to clean up after it in any process. */
export interface CleanupInput {
  readonly target: string
  readonly directory: string
  readonly suffix: string
  readonly options: Readonly<Record<string, string>>
  /** Ids of the restore points that it reads: nobody may prune them meanwhile. */
  readonly points: readonly string[]
}

/** The undo of a drill. */
export interface CleanupUndoOptions {
  /** The drill's. */
  readonly name: string
  /** The user's own. */
  readonly cleanup: ResolvedDrillCode<DrillCleanupContext> | undefined
  readonly deadline: Duration
}

/** The undo's name, whatever the drill: the label of its metrics. */
export const cleanupUndoName = 'drill-cleanup'

/** Whether an undo removes what a drill made: nothing stands still until it has run. */
export function isDrillCleanup({
  undo,
  participant,
}: {
  readonly undo: string
  readonly participant: string
}): boolean {
  return undo === cleanupUndoName && drillOfId(participant) !== undefined
}

/** Where the restore has said what it made, among the variables of its run. */
const whereKey = 'drill.where'

/** What takes back what a drill does: the user's cleanup, then its directory. */
export function cleanupUndo({ name, cleanup, deadline }: CleanupUndoOptions): UndoDefinition<Json> {
  return {
    name: cleanupUndoName,
    input: cleanupInput as unknown as StandardSchemaV1<unknown, Json>,
    deadline,
    async run(input, ctx: UndoContext) {
      const { target, directory, suffix, options } = input as unknown as CleanupInput
      const where = await readWhere(ctx.vars)
      await cleanup?.run(extend(ctx, { drill: name, target, directory, suffix, options, where }))
      await removeScratch(directory, ctx.run.id)
    },
  }
}

/** Remembers where it was restored to, for a cleanup in whatever process. */
export async function writeWhere(vars: Vars, where: Json): Promise<void> {
  await vars.set(whereKey, JSON.stringify(where ?? null))
}

async function readWhere(vars: Vars): Promise<Json | undefined> {
  try {
    const text = await vars.get(whereKey)
    return text === undefined ? undefined : (JSON.parse(text) as Json)
  } catch {
    // A cleanup looks at the world; this would only have helped.
    return undefined
  }
}

const cleanupInput: StandardSchemaV1<unknown, CleanupInput> = {
  '~standard': {
    version: 1,
    vendor: 'holdfast',
    validate(value) {
      const { target, directory, suffix, options, points } = Object(value) as Partial<CleanupInput>
      const isWhole =
        [target, directory, suffix].every((each) => typeof each === 'string') &&
        isTexts(Object.values(Object(options) as object)) &&
        Array.isArray(points) &&
        isTexts(points)
      return isWhole ? { value: value as CleanupInput } : { issues: [{ message: 'it is not what a drill arms' }] }
    },
  },
}

function isTexts(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string')
}
