// sidefridge's log: a time and a text per line, in words that people search their logs for.
import { formatDuration, type HookName } from '@holdfast/sdk'
import type { LogLevel, Redactor, RunEventListener, RuntimeLogger } from '@holdfast/runtime'

/** Options of {@link createFridgeLog}. */
export interface CreateFridgeLogOptions {
  /** Standard output. */
  readonly write: (text: string) => void
  readonly redactor: Pick<Redactor, 'text'>
  readonly now: () => Date
  readonly level: LogLevel
}

/** The log of one `fridge`. */
export interface FridgeLog {
  readonly log: RuntimeLogger
  readonly events: RunEventListener
}

const ranks: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

/** sidefridge's names of the hooks; those that it had are always announced, the others when a script of theirs runs. */
const directories: Readonly<Record<HookName, { readonly name: string; readonly always: boolean }>> = {
  installDependencies: { name: 'install_dependencies', always: true },
  validate: { name: 'validate', always: false },
  beforeBackups: { name: 'before_backups', always: true },
  backups: { name: 'backups', always: true },
  afterBackups: { name: 'after_backups', always: true },
  verifyBackups: { name: 'verify_backups', always: false },
  pruneBackups: { name: 'prune_backups', always: false },
  maintain: { name: 'maintain', always: false },
  onError: { name: 'on_error', always: true },
  onFinish: { name: 'on_finish', always: false },
}

function isHook(name: unknown): name is HookName {
  return typeof name === 'string' && Object.hasOwn(directories, name)
}

const ending = 'Script execution finished due to errors. Look at logs for details'

/** `[MM/DD/YYYY HH:MM:SS]` in local time. */
export function stamp(now: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0')
  const date = [two(now.getMonth() + 1), two(now.getDate()), now.getFullYear()].join('/')
  return `[${date} ${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':')}]`
}

/** Begins a log, on standard output and at once. What to do about an error is on the line below it. */
export function createFridgeLog({ write, redactor, now, level }: CreateFridgeLogOptions): FridgeLog {
  let announced: HookName | undefined

  const announce = (hook: HookName): void => {
    if (announced === hook) return
    announced = hook
    log.info(`Hook: '${directories[hook].name}'`)
  }
  const make = (hook: HookName | undefined): RuntimeLogger => {
    const at =
      (rank: Exclude<LogLevel, 'silent'>) =>
      (message: string, fields: Record<string, unknown> = {}): void => {
        if (ranks[rank] < ranks[level]) return
        if (hook !== undefined && 'script' in fields) announce(hook)
        const { hint } = fields
        const begin = stamp(now())
        const below = typeof hint === 'string' && hint !== '' ? `\n${' '.repeat(begin.length)} ${hint}` : ''
        write(`${begin} ${redactor.text(message + below)}\n`)
      }
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: ({ hook: name }) => make(isHook(name) ? name : hook),
    }
  }
  const log = make(undefined)

  const events: RunEventListener = (event) => {
    switch (event.type) {
      case 'hook-started':
        if (isHook(event.hook) && directories[event.hook].always && event.participant !== 'holdfast')
          announce(event.hook)
        return
      case 'hook-ended':
        if (event.error) log.error(event.error.message, { hint: event.error.hint })
        return
      case 'undo-settled':
        if (event.result === 'done')
          log.info(`Undone: '${event.undo}', ${formatDuration(event.heldMs)} after it was armed`)
        if (event.result === 'failed') log.error(`Not undone: '${event.undo}': ${event.error?.message ?? ''}`)
        return
      case 'artifact-committed':
        log.info(`Stored '${event.point.id}'`)
        return
      case 'warning':
        log.warn(event.error.message, { hint: event.error.hint })
        return
      case 'run-ended':
        announced = undefined
        if (['failed', 'partial', 'aborted'].includes(event.status)) log.error(ending)
        return
      default:
    }
  }
  return { log, events }
}
