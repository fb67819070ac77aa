// Who owns a run or an undo, and whether that owner still lives (DESIGN §4e).
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { RuntimeClock } from '../clock.ts'
import type { Services } from '../services.ts'
import type { Journal } from './journal.ts'
import { removeLock, type Locks } from './locks.ts'
import { withoutCluster, type Liveness, type Owners } from './owners.ts'
import { processStart } from './process-start.ts'
import type { ProcessRecord } from './records.ts'

/** Enters this process in the journal, with a lock that proves it alive. */
export function enterProcess(options: {
  journal: Journal
  locks: Locks
  clock: RuntimeClock
  /** What is known of its pod, and, in tests, what the system is to say. */
  known?: Partial<ProcessRecord> | undefined
}): ProcessRecord {
  const { journal, locks, clock, known } = options
  const record: ProcessRecord = {
    id: randomUUID(),
    pid: process.pid,
    host: hostname(),
    boot: bootId(),
    pod: undefined,
    podName: undefined,
    namespace: undefined,
    workload: undefined,
    container: undefined,
    containerStart: processStart(1),
    processStart: processStart('self'),
    startedAt: clock.now(),
    ...known,
  }
  // The lock first: an entry without a lock would look dead.
  locks.tryAcquire(lockName(record.id), `process ${record.pid} on ${record.host}`)
  journal.addProcess(record)
  return record
}

/**
 * Whether the process that owns something in our journal still lives. On the same kernel its lock tells, across
 * containers and whatever became of its pid. On another one its pod tells; without the API, another kernel with our host
 * name is this machine, or this StatefulSet's pod, before a restart. Of any other host nothing is known.
 */
export function livenessOf(
  owner: ProcessRecord | undefined,
  self: ProcessRecord,
  locks: Locks,
  owners: Owners = withoutCluster(),
): Liveness {
  if (owner === undefined) return 'gone'
  if (owner.id === self.id) return 'alive'
  if (owner.boot === self.boot) {
    const lock = locks.tryAcquire(lockName(owner.id), 'recovery')
    lock?.release()
    return lock ? 'gone' : 'alive'
  }
  if (owners.isDeposed(owner.id)) return 'gone'
  const pod = owner.pod === self.pod ? 'unknown' : owners.podOf(owner)
  if (pod !== 'unknown') return pod
  return owner.host === self.host ? 'gone' : 'unknown'
}

/** The same by their ids: each is looked at once. */
export function livenessLookup(
  services: Pick<Services, 'journal' | 'process' | 'locks' | 'owners'>,
): (process: string) => Liveness {
  const known = new Map<string, Liveness>()
  return (id) => {
    let state = known.get(id)
    if (!state) {
      const { journal, process, locks, owners } = services
      known.set(id, (state = livenessOf(journal.process(id), process, locks, owners)))
    }
    return state
  }
}

/**
 * Whether the process that owns something in the cluster still lives. It has another state directory, or had one that is
 * lost, so no lock tells.
 *
 * @param startOf - when a process of our pid namespace began; for tests
 */
export function livenessElsewhere(
  owner: ProcessRecord,
  self: ProcessRecord,
  owners: Owners,
  startOf: (pid: number) => string | undefined = processStart,
): Liveness {
  if (owner.id === self.id) return 'alive'
  if (owners.isDeposed(owner.id)) return 'gone'
  const sameMachine = owner.boot === self.boot
  // Its pids are ours: whether it lives can be seen.
  const sameProcesses =
    sameMachine && owner.containerStart !== undefined && owner.containerStart === self.containerStart
  const seen = (): Liveness => (startOf(owner.pid) === owner.processStart ? 'alive' : 'gone')
  if (owner.pod === undefined || self.pod === undefined) {
    if (owner.pod !== undefined) return owners.podOf(owner)
    if (sameProcesses) return seen()
    return !sameMachine && owner.host === self.host ? 'gone' : 'unknown'
  }
  if (owner.pod !== self.pod) return owners.podOf(owner)
  if (owner.container !== undefined && self.container !== undefined) {
    // The other container of our pod looks after its own.
    if (owner.container !== self.container) return 'alive'
    return sameProcesses ? seen() : 'gone'
  }
  // Which container of our pod it was in nobody knows: it may be another one, and alive.
  if (!sameMachine) return 'gone'
  return sameProcesses ? seen() : 'unknown'
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
