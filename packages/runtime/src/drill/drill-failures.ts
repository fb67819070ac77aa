import { stripVTControlCharacters } from 'node:util'
import { isHoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import type { Services } from '../services.ts'

/** What an error message may take in one line. */
const longestReason = 300

/** What an assertion says, in one line: mostly its first line alone says nothing. */
export function reasonInOneLine(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
  const line = stripVTControlCharacters(text).replaceAll(/\s+/g, ' ').trim()
  return line.length > longestReason ? `${line.slice(0, longestReason).toWellFormed()}…` : line
}

/** Why a restore failed: in its own words where it has any, and whether it could not help it. */
export async function restoreFailure(
  { store }: Pick<Services, 'store'>,
  { drill, point, isStored }: { readonly drill: string; readonly point: string; readonly isStored: boolean },
  thrown: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (isStored && (await isGone(() => store().get(point, { signal })))) {
    return errors.DRILL_BACKUP_GONE({ drill, point }, { cause: thrown })
  }
  if (isHoldfastError(thrown)) return thrown
  return errors.DRILL_RESTORE_FAILED({ drill, point, reason: reasonInOneLine(thrown) }, { cause: thrown })
}

async function isGone(get: () => Promise<unknown>): Promise<boolean> {
  try {
    await get()
    return false
  } catch (error) {
    return isHoldfastError(error) && error.code === errors.ARTIFACT_NOT_FOUND.code
  }
}

/** What was restored is not what it should be. */
export function expectationFailure(drill: string, point: string, thrown: unknown): unknown {
  return errors.DRILL_EXPECTATION({ drill, point, reason: reasonInOneLine(thrown) }, { cause: thrown })
}
