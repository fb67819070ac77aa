// Who owns a run or an undo, and whether that owner still lives (DESIGN §4e).
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { RuntimeClock } from '../clock.ts'
import type { Journal } from './journal.ts'
import type { ProcessRecord } from './records.ts'
import { removeLock, type Locks } from './locks.ts'

/** What is known of an owner. */
export type Liveness = 'alive' | 'gone' | 'unknown'

/** Enters this process in the journal, with a lock that proves it alive. */
export function enterProcess(options: {
  journal: Journal
  locks: Locks
  clock: RuntimeClock
  pod?: string | undefined
}): ProcessRecord {
  const { journal, locks, clock, pod } = options
  const record: ProcessRecord = {
    id: randomUUID(),
    pid: process.pid,
    host: hostname(),
    boot: bootId(),
    pod,
    startedAt: clock.now(),
  }
  // The lock first: an entry without a lock would look dead.
  locks.tryAcquire(lockName(record.id), `process ${record.pid} on ${record.host}`)
  journal.addProcess(record)
  return record
}

/**
 * Whether the process that owns something still lives. On the same kernel its lock tells, across containers and
 * whatever became of its pid. Another kernel with our host name is this machine, or this StatefulSet's pod, before a
 * restart. Of any other host nothing is known without the Kubernetes API.
 */
export function livenessOf(owner: ProcessRecord | undefined, self: ProcessRecord, locks: Locks): Liveness {
  if (owner === undefined) return 'gone'
  if (owner.id === self.id) return 'alive'
  if (owner.boot !== self.boot) return owner.host === self.host ? 'gone' : 'unknown'
  const lock = locks.tryAcquire(lockName(owner.id), 'recovery')
  lock?.release()
  return lock ? 'gone' : 'alive'
}

/** Removes the traces of processes that are gone and own nothing any more. */
export function forgetProcesses(
  journal: Journal,
  self: ProcessRecord,
  locks: Locks,
  lockDirectory: string,
): readonly string[] {
  const owners = new Set([
    ...journal.openRuns().map((run) => run.process),
    ...journal.pendingUndos().map((undo) => undo.process),
  ])
  const gone = journal.processes().filter(({ id }) => !owners.has(id))
  const removed: string[] = []
  for (const owner of gone) {
    if (livenessOf(owner, self, locks) !== 'gone') continue
    removeLock(lockDirectory, lockName(owner.id))
    journal.removeProcess(owner.id)
    removed.push(owner.id)
  }
  return removed
}

/** Where the locks of a state directory are. */
export function lockDirectoryOf(stateDirectory: string): string {
  return join(stateDirectory, 'locks')
}

function lockName(id: string): string {
  return `process-${id}`
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    // Without /proc every restart of the machine looks like the same one; the lock still tells.
    return 'unknown'
  }
}
