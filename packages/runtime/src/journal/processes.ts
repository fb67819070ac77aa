// The processes that use, or used, this state directory.
import type { ProcessRecord } from './records.ts'
import { toProcess } from './rows.ts'
import type { Statements } from './statements.ts'

/** Processes on record. */
export interface Processes {
  /** Enters one, or what has become known of it since. */
  add(process: ProcessRecord): void
  find(id: string): ProcessRecord | undefined
  all(): readonly ProcessRecord[]
  remove(id: string): void
}

/** A part of the journal. */
export function openProcesses({ query, write }: Pick<Statements, 'query' | 'write'>): Processes {
  return {
    add(process) {
      const { id, pid, host, boot, startedAt } = process
      write(
        'process',
        `INSERT OR REPLACE INTO processes
           (id, pid, host, boot, pod, started, pod_name, namespace, workload, container, container_start, process_start)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        pid,
        host,
        boot,
        process.pod ?? null,
        startedAt.getTime(),
        process.podName ?? null,
        process.namespace ?? null,
        process.workload ?? null,
        process.container ?? null,
        process.containerStart ?? null,
        process.processStart ?? null,
      )
    },
    find: (id) => query('SELECT * FROM processes WHERE id = ?', id).map(toProcess)[0],
    all: () => query('SELECT * FROM processes').map(toProcess),
    remove: (id) => void write('process', 'DELETE FROM processes WHERE id = ?', id),
  }
}
