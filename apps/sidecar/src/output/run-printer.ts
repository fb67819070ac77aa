import { formatDuration, type Outcome, type RestorePoint, type Run } from '@holdfast/sdk'
import type {
  ExecOutput,
  ExecOutputStream,
  LogLevel,
  Redactor,
  RunEvent,
  RunEventListener,
  RuntimeLogger,
  StepName,
} from '@holdfast/runtime'
import { logLevels } from '../settings.ts'
import { count, formatBytes, formatTime } from './format.ts'
import { formatFailure } from './failure.ts'
import { printable } from './printable.ts'
import type { Screen } from './screen.ts'
import type { Style } from './style.ts'

/** Options of {@link createRunPrinter}. */
export interface CreateRunPrinterOptions {
  readonly screen: Screen
  readonly style: Style
  readonly redactor: Redactor
  readonly level: LogLevel
}

/** Shows a run to the person who waits for it. */
export interface RunPrinter {
  readonly events: RunEventListener
  readonly output: ExecOutput
  readonly log: RuntimeLogger
  /** The last word on the run. */
  close(): void
}

const redrawMs = 250

/** Prints what happens as it happens, and what is going on in the terminal's last line. */
export function createRunPrinter({ screen, style, redactor, level }: CreateRunPrinterOptions): RunPrinter {
  const debug = level === 'debug'
  const line = (text: string): void => screen.write(`${redactor.text(printable(text))}\n`)
  const marks = { ok: style.green('✓'), bad: style.red('✗'), odd: style.yellow('!') }
  const active = new Map<string, { readonly label: string; readonly since: number; note: string }>()
  const timer = screen.isTTY ? setInterval(redraw, redrawMs).unref() : undefined

  function redraw(): void {
    const now = performance.now()
    // What is over at once needs no mention.
    const lasting = [...active.values()].filter(({ since }) => now - since >= redrawMs)
    const parts = lasting.map(({ label, since, note }) => `${label} ${formatDuration(now - since)}${note}`)
    screen.status(parts.length === 0 ? undefined : style.dim(`  … ${parts.join(', ')}`))
  }

  function hookEnded(event: Extract<RunEvent, { type: 'hook-ended' }>): void {
    active.delete(keyOf(event))
    redraw()
    const label = `${event.hook} · ${nameOf(event)}`
    const took = style.dim(formatDuration(event.durationMs))
    line(`  ${event.error ? marks.bad : marks.ok} ${label}  ${took}`)
  }

  function undoSettled(event: Extract<RunEvent, { type: 'undo-settled' }>): void {
    const held = formatDuration(event.heldMs)
    const texts = {
      done: `  ${marks.ok} gave back ${style.bold(event.undo)}, held for ${held}`,
      failed: `  ${marks.bad} could not give back ${style.bold(event.undo)}: ${event.error?.message ?? ''}`,
      taken: `  ${marks.odd} ${style.bold(event.undo)} was given back by another process`,
      disarmed: undefined,
    }
    const text = texts[event.result]
    if (text !== undefined) line(text)
  }

  function runEnded(run: Run, outcome: Outcome, durationMs: number): void {
    active.clear()
    screen.status(undefined)
    const mark = { succeeded: marks.ok, partial: marks.odd, skipped: marks.odd, failed: marks.bad, aborted: marks.bad }
    const because = outcome.reason === undefined ? '' : ` (${outcome.reason})`
    const sum = summaryOf(run, outcome)
    line(
      `${mark[outcome.status]} ${style.bold(run.drill ?? run.plan)} ${outcome.status}${because} in ${formatDuration(durationMs)}${sum}`,
    )
    for (const target of outcome.targets) {
      if (target.status !== 'succeeded' || target.verification === 'unverified') {
        const why = target.reason ?? target.error?.message ?? ''
        line(`    ${target.target.id}: ${target.status}, ${target.verification}${why === '' ? '' : `: ${why}`}`)
      }
    }
    const show = (error: NonNullable<Outcome['error']>, label: 'error' | 'warning'): void =>
      screen.write(`\n${redactor.text(formatFailure(error, { style, width: screen.columns, debug, label }))}`)
    for (const warning of outcome.warnings) show(warning, 'warning')
    if (outcome.error) show(outcome.error, 'error')
  }

  const events: RunEventListener = (event) => {
    const { run } = event
    switch (event.type) {
      case 'run-started':
        line(`${style.bold(titleOf(run))} ${style.dim(`run ${run.id}`)}`)
        // A restore is no hook: what it tells of how far it is belongs to the run.
        if (run.trigger === 'restore') active.set(run.id, { label: 'restoring', since: performance.now(), note: '' })
        return
      case 'targets-found':
        line(`  ${style.dim(`${count(event.targets.length, 'target')}: ${event.targets.join(', ')}`)}`)
        return
      case 'hook-started':
        active.set(keyOf(event), { label: `${event.hook} · ${nameOf(event)}`, since: performance.now(), note: '' })
        redraw()
        return
      case 'hook-ended':
        return hookEnded(event)
      case 'progress': {
        const entry = [...active.values()].at(-1)
        if (entry) entry.note = ` ${progressOf(event)}${timeLeft(event, performance.now() - entry.since)}`
        return
      }
      case 'artifact-committed':
        line(`    stored ${describePoint(event.point)}, ${formatBytes(event.storedSize)} in the store`)
        return
      case 'backup-chosen':
        for (const point of event.points) {
          line(`    restores ${describePoint(point)} of ${event.target}, from ${formatTime(point.createdAt)}`)
        }
        return
      case 'undo-settled':
        return undoSettled(event)
      case 'planned':
        line(`  ${event.target}`)
        for (const step of event.steps)
          line(`    ${style.dim(step.kind)} ${step.what}${step.where ? ` (${step.where})` : ''}`)
        return
      case 'pruned':
        for (const point of event.points) {
          const from = event.copy === undefined ? '' : ` from ${event.copy}`
          line(`    ${event.dryRun ? 'would remove' : 'removes'} ${describePoint(point)}${from}: expired`)
        }
        return
      case 'artifact-copied': {
        const name = event.artifact.split('/').at(-1)
        line(`    copied ${name}, ${formatBytes(event.storedSize)}, to ${event.copy}`)
        return
      }
      case 'run-ended':
        return runEnded(run, event.outcome, event.durationMs)
      case 'copy-started':
        active.set(`copy ${event.copy}`, { label: `copying to ${event.copy}`, since: performance.now(), note: '' })
        return redraw()
      case 'copy-ended':
        active.delete(`copy ${event.copy}`)
        return redraw()
      case 'undo-armed':
      case 'target-ended':
      case 'warning':
    }
  }

  return {
    events,
    output: { open: () => printOutput((text) => line(`    ${style.dim('│')} ${text}`)) },
    log: printerLog(line, style, level),
    close() {
      clearInterval(timer)
      screen.status(undefined)
    },
  }
}

const longestRest = 16 * 1024

/** Prints what a command prints, line by line. */
function printOutput(print: (text: string) => void): ExecOutputStream {
  const streams = {
    stdout: { decoder: new TextDecoder(), rest: '' },
    stderr: { decoder: new TextDecoder(), rest: '' },
  }
  // A colour ends with its line.
  const printLine = (text: string): void => print(text.includes('\u001B') ? `${text}\u001B[0m` : text)
  return {
    write(chunk, from) {
      const stream = streams[from]
      const lines = (stream.rest + stream.decoder.decode(chunk, { stream: true })).split('\n')
      stream.rest = lines.pop() ?? ''
      for (const text of lines) printLine(text.replace(/\r$/, ''))
      if (stream.rest.length <= longestRest) return
      printLine(stream.rest)
      stream.rest = ''
    },
    end() {
      for (const { rest } of Object.values(streams)) if (rest !== '') printLine(rest)
    },
  }
}

/** Hooks' own log lines, without the fields that the lines around them say already. */
function printerLog(line: (text: string) => void, style: Style, level: LogLevel): RuntimeLogger {
  const at = (rank: LogLevel, prefix: string, paint = (text: string): string => text) => {
    return logLevels.indexOf(rank) < logLevels.indexOf(level)
      ? (): void => {}
      : (message: string): void => line(`${prefix}${paint(message)}`)
  }
  const log: RuntimeLogger = {
    debug: at('debug', '    ', style.dim),
    info: at('info', '    '),
    warn: at('warn', `  ${style.yellow('!')} `),
    error: at('error', `  ${style.red('✗')} `),
    child: () => log,
  }
  return log
}

type HookEvent = { hook: StepName; participant: string; target?: string | undefined }

function keyOf({ hook, participant, target }: HookEvent): string {
  return `${hook} ${participant} ${target ?? ''}`
}

function nameOf({ participant, target }: HookEvent): string {
  return target === undefined || target === participant ? participant : `${participant} → ${target}`
}

function titleOf({ plan, trigger, drill, dryRun }: Run): string {
  if (drill !== undefined) return `${drill}: restore drill of plan ${plan}`
  if (trigger === 'boot') return `${plan}: installing dependencies`
  if (trigger === 'restore') return `${plan}: restoring`
  if (trigger === 'command') return `${plan}: a plugin's command`
  return dryRun ? `${plan}: dry run` : plan
}

/** How long it will go on, if it goes on as it did: unknown at first. */
function timeLeft({ done, total = 0 }: Extract<RunEvent, { type: 'progress' }>, ms: number): string {
  if (done <= 0 || done >= total || ms < 5000) return ''
  return `, about ${formatDuration(Math.round(((ms / done) * (total - done)) / 1000) * 1000)} left`
}

function progressOf({ done, total, note }: Extract<RunEvent, { type: 'progress' }>): string {
  const share = total === undefined || total === 0 ? formatBytes(done) : `${Math.floor((done / total) * 100)} %`
  return note === undefined ? share : `${share} ${note}`
}

function describePoint({ ref, id, size, state }: RestorePoint): string {
  const { name } = (ref ?? {}) as { readonly name?: string }
  const suspect = state === 'suspect' ? ' (suspect: much smaller than usual)' : ''
  return `${name ?? id}${size === undefined ? '' : `, ${formatBytes(size)}`}${suspect}`
}

function summaryOf({ dryRun, drill }: Run, { status, targets }: Outcome): string {
  const points = targets.flatMap((target) => target.points)
  if (points.length === 0) {
    // A hook that copies its backups elsewhere by itself, or one that forgot to make any: its author should see which.
    const isMissing = status === 'succeeded' && targets.length > 0 && !dryRun && drill === undefined
    return isMissing ? ', no restore point' : ''
  }
  const bytes = points.reduce((sum, { size }) => sum + (size ?? 0), 0)
  return `, ${count(points.length, 'restore point')} of ${formatBytes(bytes)}`
}
