import type { EndedProcesses } from '../journal/ended-processes.ts'
import type { Journal } from '../journal/journal.ts'
import type { Locks } from '../journal/locks.ts'
import { livenessOf } from '../journal/process.ts'
import type { ProcessRecord } from '../journal/records.ts'
import type { UndoMirror } from '../journal/undo-mirror.ts'
import type { Cluster } from './cluster.ts'
import { createIdentifier } from './own-identity.ts'
import { createUndoMirror, type CreateUndoMirrorOptions } from './undo-mirror.ts'

/** What {@link openUndoMirror} needs. */
export interface OpenUndoMirrorOptions extends Pick<
  CreateUndoMirrorOptions,
  'clock' | 'log' | 'owners' | 'instance' | 'isStateDurable' | 'exposes' | 'onAccess'
> {
  readonly cluster: Cluster
  readonly journal: Pick<Journal, 'process' | 'addProcess'>
  readonly locks: Locks
  /** This process; what the cluster knows of it is added. */
  readonly self: ProcessRecord
  readonly ended: Pick<EndedProcesses, 'has'>
}

/** The mirror of this process's undos, in the cluster that it belongs to. */
export function openUndoMirror(options: OpenUndoMirrorOptions): UndoMirror {
  const { cluster, journal, locks, self, ended, ...shared } = options
  const { log, owners } = shared
  return createUndoMirror({
    ...shared,
    kubernetes: cluster.kubernetes,
    self: () => self,
    hasEnded(process) {
      // By the same signs by which its undos in our journal are taken for ours.
      const record = journal.process(process)
      return ended.has(process) || (record !== undefined && livenessOf(record, self, locks, owners) === 'gone')
    },
    identify: createIdentifier({
      cluster,
      log,
      current: () => self,
      update(identity) {
        Object.assign(self, identity)
        journal.addProcess(self)
      },
    }),
    keeps: cluster.pod !== undefined,
  })
}
