import { reasonOf } from '../../failure.ts'
import { createLines } from '../lines.ts'
import { killerScript } from './killer-script.ts'
import { execPath, execQuery, protocolV4, protocolV5, type Place } from './protocol.ts'
import type { ContainerServices } from './services.ts'
import { openStream } from './stream.ts'
import { upgrade } from './upgrade.ts'

/** What became of a command's processes. `unknown`: nobody could look. */
export type RemoteEnd = 'killed' | 'gone' | 'left running' | 'unknown'

/** Options of {@link killRemote}. */
export interface KillRemoteOptions {
  readonly services: Pick<ContainerServices, 'cluster' | 'clock' | 'random' | 'killGraceMs'>
  readonly place: Place
  readonly command: string
  /** The marker of the processes. */
  readonly id: string
  /** Whether they were there already: else they may still come. */
  readonly started: () => boolean
  /** How long they may end by themselves before they are told to, in ms. */
  readonly patienceMs: number
}

/** What the kernel gets for the rest after KILL, in ms. */
const lastGraceMs = 1000
/** To get there, and for what is slow there, in ms. */
const reachMs = 5000
const poll = { first: 20, longest: 500 }

/**
 * Ends the processes of an exec by a second one in the same container: TERM, and KILL after the grace. Real timers,
 * whatever clock the runtime has: it is real processes that get the grace.
 *
 * @returns what it came to; never rejects, and is done in time
 */
export async function killRemote(
  options: KillRemoteOptions,
): Promise<{ readonly end: RemoteEnd; readonly reason?: string }> {
  const { services, patienceMs } = options
  const late = new AbortController()
  const longest = patienceMs + 2 * services.killGraceMs + lastGraceMs + reachMs
  const timer = setTimeout(() => late.abort(new Error('its container did not answer in time')), longest)
  let killer: Killer | undefined
  try {
    killer = await openKiller(options, late.signal)
    return await end(options, killer.order)
  } catch (error) {
    return { end: 'unknown', reason: reasonOf(late.signal.aborted ? late.signal.reason : error) }
  } finally {
    clearTimeout(timer)
    void killer?.letGo()
  }
}

interface Killer {
  order(what: 'look' | 'TERM' | 'KILL'): Promise<Found>
  /** Never rejects. */
  letGo(): Promise<void>
}

interface Found {
  readonly found: number
  readonly refused: number
}

async function end(
  { services, started, patienceMs }: KillRemoteOptions,
  order: Killer['order'],
): Promise<{ readonly end: RemoteEnd; readonly reason?: string }> {
  const { killGraceMs } = services
  let last = await order('look')
  /** Looks until something is so, or the time is up. */
  const until = async (ms: number, reached: () => boolean): Promise<void> => {
    const deadline = performance.now() + ms
    for (
      let pause = poll.first;
      !reached() && performance.now() < deadline;
      pause = Math.min(2 * pause, poll.longest)
    ) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(pause, Math.max(1, deadline - performance.now()))))
      last = await order('look')
    }
  }
  const isGone = (): boolean => last.found === 0
  await until(killGraceMs, () => last.found > 0 || started())
  await until(patienceMs, isGone)
  if (isGone()) return { end: 'gone' }
  for (const [signal, grace] of [
    ['TERM', killGraceMs],
    ['KILL', lastGraceMs],
  ] as const) {
    last = await order(signal)
    const { refused } = last
    await until(grace, isGone)
    if (isGone()) return { end: 'killed' }
    if (signal === 'KILL' && refused > 0) return { end: 'left running', reason: 'they belong to another user' }
  }
  return { end: 'left running', reason: 'they do not die, as processes do that wait for a disk or a frozen filesystem' }
}

async function openKiller({ services, place, command, id }: KillRemoteOptions, signal: AbortSignal): Promise<Killer> {
  const { cluster, clock } = services
  const socket = await upgrade({
    services,
    command,
    place,
    connection: cluster.connection,
    path: `${execPath(place)}?${execQuery(place, ['/bin/sh', '-c', killerScript, 'holdfast', id], true)}`,
    // It is told to end by the end of the connection.
    protocols: [protocolV5, protocolV4],
    halfClose: false,
    repeatable: true,
    deadline: clock.monotonic() + reachMs,
    signal,
  })
  let answer: PromiseWithResolvers<Found> | undefined
  const lines = createLines((line) => {
    const [found = NaN, refused = NaN] = line.split(' ').map(Number)
    if (Number.isInteger(found) && Number.isInteger(refused)) answer?.resolve({ found, refused })
  })
  const stream = openStream({
    socket,
    clock,
    take: (from, chunk) => (from === 'stdout' ? lines.push(chunk) : undefined),
    failed: () => {},
  })
  const abort = (): void => stream.close(reasonOf(signal.reason))
  signal.addEventListener('abort', abort, { once: true })
  const watch = async (): Promise<void> => {
    await stream.ended
    const { status, reason } = stream
    answer?.reject(new Error(status && 'said' in status ? status.said : reason))
  }
  void watch()
  return {
    // It ends by itself; a connection that is closed may leave it behind for a while.
    async letGo() {
      const timer = setTimeout(() => stream.close('it was let go'), lastGraceMs)
      await stream.input.write('quit\n')
      await stream.ended
      clearTimeout(timer)
    },
    async order(what) {
      answer = Promise.withResolvers()
      answer.promise.catch(() => {})
      if (!(await stream.input.write(`${what}\n`))) throw new Error(stream.reason)
      return answer.promise
    },
  }
}
