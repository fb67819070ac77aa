import { isDuration, type Json, type UndoDefinition } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { describeValue } from './describe-export.ts'
import type { Path, Problems } from './problems.ts'

/** Undos by name; one that could not run after a crash is among the problems. */
export function resolveUndos(
  undos: readonly unknown[] | undefined,
  of: string,
  path: Path,
  problems: Pick<Problems, 'add'>,
): ReadonlyMap<string, UndoDefinition<Json>> {
  const resolved = new Map<string, UndoDefinition<Json>>()
  for (const undo of undos ?? []) {
    const { name } = Object(undo) as { readonly name?: unknown }
    const undoName = typeof name === 'string' && name !== '' ? name : undefined
    const reason = whyNot(undo, undoName) ?? (resolved.has(undoName ?? '') ? 'there are two of that name' : undefined)
    if (reason === undefined && undoName !== undefined) resolved.set(undoName, undo as UndoDefinition<Json>)
    else problems.add(errors.UNDO_INVALID({ undo: undoName ?? '?', of, reason: reason ?? '' }), { path })
  }
  return resolved
}

function whyNot(undo: unknown, name: string | undefined): string | undefined {
  if (name === undefined) return `it is ${describeValue(undo)} without a name`
  const { input, deadline, run } = undo as Partial<UndoDefinition<Json>>
  if (typeof run !== 'function') return 'it has no function `run`'
  if (typeof input?.['~standard']?.validate !== 'function') return 'its `input` is no Standard Schema'
  return isDuration(deadline) ? undefined : 'its `deadline` is no duration'
}
