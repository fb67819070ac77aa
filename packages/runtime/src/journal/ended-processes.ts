import type { Journal } from './journal.ts'
import type { Locks } from './locks.ts'
import { livenessOf } from './process.ts'
import type { ProcessRecord } from './records.ts'

/** Processes that used this state directory, and have certainly ended. */
export interface EndedProcesses {
  has(process: string): boolean
  /** Keeps in mind what the journal forgets. */
  add(processes: readonly string[]): void
}

/** What {@link createEndedProcesses} needs. */
export interface CreateEndedProcessesOptions {
  readonly journal: Pick<Journal, 'process'>
  readonly locks: Locks
  readonly self: ProcessRecord
}

/** Tells by the lock of a process whether it has ended. */
export function createEndedProcesses({ journal, locks, self }: CreateEndedProcessesOptions): EndedProcesses {
  const forgotten = new Set<string>()
  return {
    has(process) {
      if (forgotten.has(process)) return true
      const record = journal.process(process)
      return record !== undefined && record.boot === self.boot && livenessOf(record, self, locks) === 'gone'
    },
    add(processes) {
      for (const process of processes) forgotten.add(process)
    },
  }
}
