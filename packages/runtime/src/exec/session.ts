import { formatDuration, parseDuration, type ExecRequest, type ExecSession } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import type { CommandWiring, ExecServices, RunningCommand } from './command.ts'

/** Somebody who waits for a line. */
type Waiting = (line: string) => void

/**
 * Starts a command that is talked to. Its disposal ends its input, which is its order to give back, waits for the
 * grace, and kills it if it is still there.
 *
 * @param start - on this machine, or in a container
 * @throws HoldfastError `EXEC_…` when it can't be started
 */
export async function openSession(
  request: ExecRequest,
  services: Pick<ExecServices, 'clock' | 'killGraceMs'>,
  start: (wiring: CommandWiring) => Promise<RunningCommand>,
): Promise<ExecSession> {
  const { clock, killGraceMs } = services
  const waiting = new Set<Waiting>()
  /** What came before the caller could ask for it: a container's first words arrive together with its start. */
  let early: string[] | undefined = []
  const running = await start({
    stdin: request.stdin === undefined ? 'open' : undefined,
    onLine(line) {
      early?.push(line)
      for (const offer of waiting) offer(line)
    },
  })
  const { command, stdin, result } = running
  setImmediate(() => (early = undefined))
  const noInput = (): Error =>
    errors.EXEC_REQUEST({ command, reason: 'a session whose request has a stdin of its own cannot be written to' })

  return {
    result,
    async write(chunk) {
      if (!stdin) throw noInput()
      if (await stdin.write(chunk)) return
      throw errors.EXEC_STDIN({ command, reason: 'it does not read its input any more', stderrTail: '' })
    },
    async end() {
      if (!stdin) throw noInput()
      await stdin.end()
    },
    line(match, within) {
      const ms = parseDuration(within)
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          waiting.delete(mine)
          cancel()
        }
        const fail = (reason: string, cause?: unknown): void => {
          leave()
          reject(errors.EXEC_NO_LINE({ command, reason }, { cause }))
        }
        const mine: Waiting = (line) => {
          try {
            if (!match(line)) return
            leave()
            resolve(line)
          } catch (error) {
            fail(reasonOf(error), error)
          }
        }
        const cancel = clock.setTimer(ms, () => fail(`it was silent about it for ${formatDuration(ms)}`))
        waiting.add(mine)
        for (const line of early ?? []) if (waiting.has(mine)) mine(line)
        result.then(
          () => waiting.has(mine) && fail('it ended before'),
          (error: unknown) => waiting.has(mine) && fail(reasonOf(error), error),
        )
      })
    },
    async [Symbol.asyncDispose]() {
      void stdin?.end()
      const grace = setTimeout(
        () => running.stop((remains) => errors.EXEC_TIMEOUT({ ...remains, after: formatDuration(killGraceMs) })),
        killGraceMs,
      )
      // How it ended is for whoever awaits the result.
      await result.catch(() => {})
      clearTimeout(grace)
    },
  }
}
