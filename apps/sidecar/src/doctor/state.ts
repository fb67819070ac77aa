import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { formatDuration, isHoldfastError } from '@holdfast/sdk'
import { isStateDurable } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { statusFile, type DaemonStatus } from '../daemon/status.ts'
import { hasJournal, lookIntoJournal } from '../journal.ts'
import { count, formatBytes } from '../output/format.ts'
import { ok, problem, warning, type Finding } from './check.ts'
import { roomOf, tryWrite } from './directory.ts'

const remote = new Set(['nfs', 'cifs', 'smb2', 'ceph', 'fuse', '9p'])
const leastSpace = 100 * 1024 ** 2

/** The state directory: is it there, can it be written, does it last, is there space. */
export function checkStateDirectory({ settings }: CommandContext): readonly Finding[] {
  const directory = settings.stateDirectory
  const check = 'state directory'
  const there = existsSync(directory)
  const home = nearestDirectory(directory)
  const refused = tryWrite(home, '.holdfast-doctor')
  if (refused !== undefined) {
    const hint =
      'Nothing can run: an effect might never be taken back. Make it writable, or name another with --state-dir.'
    return [problem(check, `${directory} can't be written: ${refused}`, hint)]
  }
  const { filesystem, free } = roomOf(home)
  const findings = [
    ok(
      check,
      `${directory} ${there ? 'can be written' : 'is not there yet, and can be made'} (${filesystem}, ${formatBytes(free)} free)`,
    ),
  ]
  if (!isStateDurable(home)) {
    const hint = 'What is armed there is forgotten when the container restarts. Mount an emptyDir or a volume at it.'
    findings.push(warning(check, `${directory} is on the container's own layer`, hint))
  }
  if (remote.has(filesystem)) {
    const hint = 'The journal works there, more slowly. A local volume is better; the artifact store may be remote.'
    findings.push(warning(check, `${directory} is on a network filesystem (${filesystem})`, hint))
  }
  if (free < leastSpace) {
    const hint = 'Without space no undo can be armed, so nothing is quiesced and nothing backed up. Make room.'
    findings.push(problem(check, `${directory} has only ${formatBytes(free)} left`, hint))
  }
  return findings
}

function nearestDirectory(path: string): string {
  let directory = path
  while (!existsSync(directory)) directory = dirname(directory)
  return directory
}

/** The journal, and what is pending in it. */
export function checkJournal(context: CommandContext): readonly Finding[] {
  const { stateDirectory } = context.settings
  if (!hasJournal(stateDirectory)) return [ok('journal', 'nothing has run with this state directory yet')]
  try {
    const journal = lookIntoJournal(context)
    try {
      const [last] = journal.runs({ limit: 1 })
      const pending = journal.pendingUndos()
      const ran = last === undefined ? 'no run yet' : `last run ${last.plan}, ${last.status ?? 'going on'}`
      const findings = [ok('journal', `can be read (${ran})`)]
      if (pending.length === 0) return [...findings, ok('undos', 'nothing is pending')]
      const hint =
        'Unless a run is going on, something is still frozen, locked or paused: `holdfast undo list`, `holdfast undo run --all`.'
      return [...findings, warning('undos', `${count(pending.length, 'undo')} pending`, hint)]
    } finally {
      journal.close()
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return [problem('journal', error.message, error.hint ?? '')]
  }
}

/** The daemon of this state directory, as it last described itself. */
export function checkDaemon({ settings, io }: CommandContext): readonly Finding[] {
  const status = readStatus(statusFile(settings.stateDirectory))
  if (!status || !isAlive(status.pid)) return [ok('daemon', 'none is running with this state directory')]
  const since = formatDuration(io.clock.now().getTime() - new Date(status.startedAt).getTime())
  if (status.ready) return [ok('daemon', `is ready, for ${since} (pid ${status.pid})`)]
  return status.reasons.map(({ message, hint = '' }) => problem('daemon', `is not ready: ${message}`, hint))
}

function readStatus(file: string): DaemonStatus | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DaemonStatus
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
