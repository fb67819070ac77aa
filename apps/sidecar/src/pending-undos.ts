import { isHoldfastError } from '@holdfast/sdk'
import {
  listStoredUndos,
  reasonOf,
  undoRecordOf,
  type Cluster,
  type RuntimeKubernetes,
  type UndoRecord,
} from '@holdfast/runtime'
import { clusterOf } from './cluster.ts'
import { loadQuietly } from './configuration.ts'
import type { CommandContext } from './context.ts'
import { hasJournal, lookIntoJournal } from './journal.ts'

/** What is frozen here must not wait for an API server that doesn't answer. */
const patienceMs = 5000

/** Something that was taken and not given back, here or by another pod. */
export interface PendingUndo extends UndoRecord {
  readonly isInJournal: boolean
  readonly isInCluster: boolean
  /** That armed it, where it is only in the cluster. */
  readonly pod?: string | undefined
}

/** What was found, and the cluster that was looked at. */
export interface PendingUndos {
  /** Newest first; those of our own journal before those of others. */
  readonly undos: readonly PendingUndo[]
  /** False: the cluster could not be asked, or what it has not be read: there may be more. */
  readonly isComplete: boolean
  readonly kubernetes: RuntimeKubernetes | undefined
  close(): void
}

/** Everything that is pending: in the journal, and in the cluster where there is one. */
export async function findPendingUndos(context: CommandContext): Promise<PendingUndos> {
  const own = readJournal(context)
  const cluster = await clusterOf(context)
  const { found: stored, isComplete } = cluster ? await readCluster(context, cluster) : { found: [], isComplete: true }
  const inCluster = new Set(stored.map(({ id }) => id))
  const inJournal = new Set(own.known)
  return {
    undos: [
      ...own.pending.map((undo) => ({ ...undo, isInJournal: true, isInCluster: inCluster.has(undo.id) })),
      // Of what is settled here the cluster only doesn't know yet.
      ...stored.filter(({ id }) => !inJournal.has(id)),
    ],
    isComplete,
    kubernetes: cluster?.kubernetes,
    close: () => cluster?.close(),
  }

  function readJournal({ settings }: CommandContext): {
    readonly pending: readonly UndoRecord[]
    readonly known: readonly string[]
  } {
    if (!hasJournal(settings.stateDirectory)) return { pending: [], known: [] }
    const journal = lookIntoJournal(context)
    try {
      return { pending: journal.pendingUndos(), known: journal.undoIds() }
    } finally {
      journal.close()
    }
  }
}

async function readCluster(
  context: CommandContext,
  { kubernetes }: Cluster,
): Promise<{ readonly found: readonly PendingUndo[]; readonly isComplete: boolean }> {
  const enough = Promise.withResolvers<undefined>()
  const cancel = context.io.clock.setTimer(patienceMs, () => enough.resolve(undefined))
  let damaged = 0
  try {
    const listed = listStoredUndos({
      kubernetes,
      instance: await instanceOf(context),
      onDamaged(error) {
        damaged += 1
        context.log.warn(`an armed undo in the cluster can't be read: ${reasonOf(error)}`, { error })
      },
    })
    const found = await Promise.race([listed, enough.promise])
    if (!found) {
      context.log.warn('the API server does not answer: what other pods have left is not looked at')
      return { found: [], isComplete: false }
    }
    const others = found.map((mirrored) => ({
      ...undoRecordOf(mirrored),
      isInJournal: false,
      isInCluster: true,
      pod: mirrored.owner.podName ?? mirrored.owner.host,
    }))
    return { found: others, isComplete: damaged === 0 }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    // Who may not look there keeps nothing there.
    if (error.code === 'KUBERNETES_FORBIDDEN') return { found: [], isComplete: true }
    context.warn(error)
    return { found: [], isComplete: false }
  } finally {
    cancel()
  }
}

/** A configuration that can't be loaded keeps nobody from seeing what is frozen: then that of all instances is shown. */
async function instanceOf(context: CommandContext): Promise<string | undefined> {
  try {
    return (await loadQuietly(context)).config.instance
  } catch {
    return undefined
  }
}
