import { HoldfastError, type Duration } from '@holdfast/sdk'
import type { FakeCall, FakeReply } from '@holdfast/testing'

/** Something that goes wrong with one call of a fake program. */
export interface BadDay {
  /**
   * Where: a stage that the command reaches. All have `'start'` (nothing was done) and `'end'` (everything was); more
   * are at each fake. Default `'start'`.
   */
  readonly at?: string | undefined
  /** It ends there, with this exit code. 137 and 143 are deaths: locks and halves stay. */
  readonly exit?: number | undefined
  /** It stays there until it is stopped. `'stubborn'`: and doesn't heed that. */
  readonly hangs?: boolean | 'stubborn' | undefined
  /** It goes on from there after so long, whether somebody still waits for it or not (F34). */
  readonly late?: Duration | undefined
  /** Printed on standard error, as it is, in lines of its own. */
  readonly says?: string | undefined
  /** What becomes of its standard output (F43, F44). */
  readonly stdout?: ((printed: string) => string) | undefined
  /** What becomes of its standard error. */
  readonly stderr?: ((printed: string) => string) | undefined
}

/** Bad days to come. */
export interface BadDays {
  /**
   * The next call of a command has a bad day.
   *
   * @param command - its first words, options left out: `'snap create'`, `'backup'`; `''` is any
   * @param options - `times`: how many calls, default 1. `match`: an argument that the call must have
   */
  next(command: string, day: BadDay, options?: { readonly times?: number; readonly match?: string }): void
  /** Forgets those that haven't come. */
  clear(): void
}

/** How a command ended before its end. */
export class Ended extends Error {
  readonly exitCode: number
  readonly says: string
  constructor(exitCode: number, says = '') {
    super(`ended with ${exitCode}`)
    this.exitCode = exitCode
    this.says = says
  }
}

/** Whether a command that ended so had no chance to clean up. */
export function isDeath(error: unknown): boolean {
  return error instanceof Ended && error.exitCode > 128
}

/** Called by a fake command at each of its stages. */
export type Reach = (stage: string) => Promise<void>

/** Creates {@link BadDays}, and what runs commands under them. */
export function createBadDays(): BadDays & {
  /** @param words - the command's words, without options */
  run(call: FakeCall, words: readonly string[], work: (reach: Reach) => Promise<FakeReply>): Promise<FakeReply>
} {
  const days: { command: string; day: BadDay; times: number; match: string | undefined }[] = []

  const take = (argv: readonly string[], words: readonly string[]): BadDay | undefined => {
    const said = words.join(' ')
    const found = days.find(
      ({ command, times, match }) =>
        times > 0 &&
        (said === command || command === '' || said.startsWith(`${command} `)) &&
        (match === undefined || argv.some((word) => word.includes(match))),
    )
    if (found) found.times -= 1
    return found?.day
  }

  return {
    next: (command, day, { times = 1, match } = {}) => void days.push({ command, day, times, match }),
    clear: () => void days.splice(0),
    async run(call, words, work) {
      const day = take(call.command, words)
      const reach = day === undefined ? async () => {} : reaches(call, day)
      const said = day?.says === undefined ? '' : `${day.says}\n`
      const change = ({ stdout = '', stderr = '', exitCode = 0 }: FakeReply): FakeReply => ({
        stdout: day?.stdout === undefined ? stdout : day.stdout(Buffer.from(stdout as string).toString()),
        stderr: said + (day?.stderr === undefined ? stderr : day.stderr(stderr)),
        exitCode,
      })
      try {
        await reach('start')
        const reply = await work(reach)
        await reach('end')
        return change(reply)
      } catch (error) {
        if (!(error instanceof Ended)) throw error
        return change({ stderr: error.says, exitCode: error.exitCode })
      }
    },
  }
}

function reaches(call: FakeCall, day: BadDay): Reach {
  return async (stage) => {
    if (stage !== (day.at ?? 'start')) return
    // Nobody may wait for it any more: it does what it does all the same.
    if (day.late !== undefined) await call.clock.sleep(day.late)
    if (day.hangs !== undefined && day.hangs !== false) await hang(call.signal, day.hangs === 'stubborn')
    if (day.exit !== undefined) throw new Ended(day.exit)
  }
}

function hang(signal: AbortSignal, stubborn: boolean): Promise<never> {
  return new Promise((_, reject) => {
    if (stubborn) return
    const stop = (): void => reject(stopped(signal.reason))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

/** As the real runtime has it: what was stopped says so with its own code. */
function stopped(reason: unknown): Error {
  if (reason instanceof HoldfastError) return reason
  return new HoldfastError({ code: 'EXEC_ABORTED', message: `it was stopped: ${String(reason)}`, cause: reason })
}
