import { isHoldfastError, type ContainerRef, type Exec } from '@holdfast/sdk'
import { freezeScript, sessionMarker } from './freeze-script.ts'
import { escapeMountPoint } from './mounts.ts'
import { scriptCommand } from './shell.ts'
import type { ThawInput } from './thaw-undo.ts'

/** Options of {@link openFreezeSession}. */
export interface OpenFreezeSessionOptions {
  readonly exec: Pick<Exec, 'session'>
  readonly agent: ContainerRef
  readonly place: Omit<ThawInput, 'since'>
  /** Of its dead-man timer. */
  readonly limitMs: number
}

/** A remote session that freezes, holds and thaws. The end of its input is its order to thaw. */
export interface FreezeSession extends AsyncDisposable {
  /** Resolves when the filesystem stands still. */
  readonly frozen: Promise<unknown>
  /**
   * Has it thaw.
   *
   * @returns for how long it stood still, in milliseconds
   * @throws Error when it isn't proven that it stood still all the time
   */
  thaw(): Promise<number>
}

/** The session's answers may take this long, on top of the time that the filesystem may be frozen. */
const answerMs = 15_000
/** The node's clock may be behind ours by that much: it counts from earlier on than ours, but in steps. */
const toleranceMs = 250

/** Opens a {@link FreezeSession}; it freezes at once. */
export async function openFreezeSession(options: OpenFreezeSessionOptions): Promise<FreezeSession> {
  const { exec, agent, place, limitMs } = options
  const { token } = place
  /** The last word that carried the token, and what came behind it. */
  let latest: readonly [word: string, rest: string] = ['', '']
  const session = await exec.session(agent, {
    command: commandOf(place, limitMs),
    env: { [sessionMarker]: token },
    timeout: 2 * limitMs + 4 * answerMs,
    onLine(line) {
      const [word = '', whose, ...rest] = line.split(' ')
      if (whose === token) latest = [word, rest.join(' ')]
    },
  })
  // Its end is noticed by whoever waits for a word.
  session.result.catch(() => {})

  /** Waits for another word than the one that was there. */
  const next = async (within: number): Promise<typeof latest> => {
    const [before] = latest
    try {
      await session.line(() => latest[0] !== before, within)
    } catch (error) {
      if (latest[0] !== before) return latest
      const { cause } = error as Error
      const why =
        cause instanceof Error
          ? `its session on the node has ended: ${cause.message}`
          : 'its session on the node does not answer'
      throw new Error(why, { cause: error })
    }
    return latest
  }
  const freeze = async (): Promise<number> => {
    const [word, why] = latest[0] === '' ? await next(limitMs + answerMs) : latest
    // Of this machine, and no test's clock: it is a real filesystem that stands still.
    if (word === 'frozen') return performance.now()
    throw new Error(why)
  }
  const frozenAt = freeze()
  frozenAt.catch(() => {})

  return {
    frozen: frozenAt,
    async thaw() {
      const since = await frozenAt
      const heldMs = performance.now() - since
      const said = latest[0] === 'frozen' ? next(answerMs) : Promise.resolve(latest)
      said.catch(() => {})
      // Where it has ended, what it said last tells more than that it can't be written to.
      await session.write('thaw\n').catch(() => {})
      const [word, rest] = await said
      if (word !== 'thawed') throw new Error(rest)
      await session.end().catch(() => {})
      await session.result.catch(unlessCutOff)
      const frozenMs = Number(rest)
      if (!Number.isInteger(frozenMs) || frozenMs + toleranceMs < heldMs) {
        throw new Error(`its agent says that it was frozen for ${rest} ms, here it was ${Math.round(heldMs)} ms`)
      }
      return frozenMs
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}

/**
 * It ended with 0, and the word was there: all that is missing is the end of its output, which the API server drops now and
 * then when a command with input ends (kubernetes#124571).
 */
function unlessCutOff(error: unknown): void {
  if (!isHoldfastError(error) || error.code !== 'EXEC_TRUNCATED') throw error
}

function commandOf(
  { device, path, image, sysRoot, token }: Omit<ThawInput, 'since'>,
  limitMs: number,
): readonly [string, ...string[]] {
  const ms = Math.ceil(limitMs)
  return scriptCommand(
    freezeScript,
    'holdfast-freeze',
    'session',
    token,
    device,
    path,
    escapeMountPoint(path),
    String(ms),
    (ms / 1000).toFixed(3),
    sysRoot,
    image.pool,
    image.namespace,
    image.name,
  )
}
