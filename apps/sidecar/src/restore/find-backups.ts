import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import type { LoadedConfig } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { findPoints, hasPointsElsewhere } from '../points.ts'
import { findArtifacts, loadForReading, openStores, type FoundArtifact, type StoreOptions } from '../stores.ts'
import { backupOfPoint, backupsOf, type Backup } from './backup.ts'

/** What is looked for. */
export interface BackupSelection extends StoreOptions {
  readonly plan?: string | undefined
  readonly target?: string | undefined
  /** Only what is in the store. */
  readonly inStore?: boolean | undefined
}

/** What can be restored, and from where. */
export interface FoundBackups {
  /** Newest first. */
  readonly backups: readonly Backup[]
  /** Where was looked, for messages. */
  readonly places: string
  readonly loaded: LoadedConfig | undefined
  /** Why something that plugins keep elsewhere is not among them. */
  readonly failures: readonly HoldfastError[]
}

/**
 * Everything that can be restored: what is in the store, and what plugins of the configuration keep elsewhere. A plugin
 * that can't say what it has keeps nobody from the rest.
 *
 * @throws HoldfastError `CONFIG_INVALID`, `STORE_MISSING`, `STORAGE_…`
 */
export async function findBackups(context: CommandContext, selection: BackupSelection): Promise<FoundBackups> {
  const loaded = await loadForReading(context)
  // With --storage it is that store, and nothing else.
  const looksElsewhere =
    !selection.inStore && context.settings.storage === undefined && hasPointsElsewhere(loaded) ? loaded : undefined
  const elsewhere = looksElsewhere && (await findPoints(context, looksElsewhere, selection))
  for (const failure of elsewhere?.failures ?? []) context.warn(failure)
  const stores = await openStores(context, selection, { loaded }).catch((error: unknown) => {
    if (elsewhere && elsewhere.points.length > 0 && isHoldfastError(error) && error.code === 'STORE_MISSING') {
      return undefined
    }
    throw error
  })
  const found: FoundArtifact[] = []
  if (stores) for await (const each of findArtifacts(stores, selection)) found.push(each)
  const backups = [...backupsOf(found, stores?.unreadable ?? []), ...(elsewhere?.points.map(backupOfPoint) ?? [])]
  return {
    backups: backups.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime()),
    places: stores?.address ?? 'what the plugins of the configuration keep',
    loaded,
    failures: elsewhere?.failures ?? [],
  }
}
