import { isHoldfastError, type ContainerRef, type ExecRequest, type HoldfastError } from '@holdfast/sdk'
import { errors } from '../../errors.ts'
import { isPathName } from '../../kubernetes/api-path.ts'
import type { Connection } from '../../kubernetes/connection.ts'
import type { CommandWiring, RunningCommand } from '../command.ts'
import { aborted } from '../failures.ts'
import { checkRequest, type CheckedRequest } from '../request.ts'
import { attempt, type Attempt } from './attempt.ts'
import { locate } from './locate.ts'
import { countExecs } from './counts.ts'
import type { Place } from './protocol.ts'
import { limits, type ContainerServices } from './services.ts'
import { isShellName, wrap, type Integrity } from './wrapper.ts'

/** How a command is run in a container, beyond its request. */
export interface ContainerExecOptions {
  /**
   * `'auto'` (default): through `/bin/sh`, if the container has one, so that it can be killed there and its end is known.
   * `'never'`: exactly this argv and nothing else; it can't be killed.
   */
  readonly wrapper?: 'auto' | 'never' | undefined
  /**
   * Whether the pod is read first, which tells what is wrong with it in better words and finds pods by selector. Without
   * it a command starts sooner. @defaultValue true
   */
  readonly lookFirst?: boolean | undefined
}

/** Containers without a shell, by the connection's cluster and their own ids. */
const shellLess = new WeakMap<Connection, Set<string>>()
const mostShellLess = 1000
const backoffMs = { first: 200, longest: 2000 }

/**
 * Starts a command in a container. When it resolves, the command runs, or is about to.
 *
 * @throws HoldfastError `EXEC_…` when it can't be started; what happens afterwards rejects its result
 */
export async function startInContainer(
  where: ContainerRef,
  request: ExecRequest,
  services: ContainerServices,
  wiring: CommandWiring = {},
  options: ContainerExecOptions = {},
): Promise<RunningCommand> {
  const { wrapper = 'auto', lookFirst = true } = options
  const checked = checkRequest(request, services.redactor)
  const wanted = checkWanted(request, checked, wrapper)
  const signal = AbortSignal.any([services.signal, ...(request.signal ? [request.signal] : [])])
  const counts = countExecs(services.meter, where.container)
  try {
    const place = lookFirst
      ? await locate(where, { cluster: services.cluster, command: checked.command, signal })
      : placeOf(where, services.cluster.connection, checked.command)
    const command = `${checked.command} in ${place.namespace}/${place.pod}/${place.container}`
    const { running } = await start({
      request,
      checked,
      command,
      place,
      services,
      wiring,
      signal,
      wanted,
      wrapper,
      counted: counts.bytes,
    })
    counts.follow(running.result)
    return running
  } catch (thrown) {
    const error =
      signal.aborted && !isHoldfastError(thrown)
        ? aborted(signal)({ command: checked.command, stderrTail: '' })
        : thrown
    counts.failed(error)
    throw error
  }
}

interface StartOptions {
  readonly request: ExecRequest
  readonly checked: CheckedRequest
  readonly command: string
  readonly place: Place
  readonly services: ContainerServices
  readonly wiring: CommandWiring
  readonly signal: AbortSignal
  /** What needs a shell; `undefined` when nothing does. */
  readonly wanted: string | undefined
  readonly wrapper: 'auto' | 'never'
  readonly counted: (bytes: number) => void
}

/** Tries until it runs: again without a shell where there is none, and again while its node can't be reached. */
async function start(options: StartOptions): Promise<Attempt> {
  const { request, checked, command, place, services, signal, wanted, wiring } = options
  const { clock, random, cluster } = services
  const integrity: Integrity = request.integrity ?? 'status'
  const stdin = request.stdin !== undefined || wiring.stdin === 'open'
  // What is watched while it comes must not wait for more.
  const watched = request.onLine !== undefined || request.idleTimeout !== undefined || wiring.onLine !== undefined
  const blocks = typeof request.stdout === 'object' && !watched
  const deadline = clock.monotonic() + limits.handshakeMs
  const known = shellLess.get(cluster.connection) ?? new Set<string>()
  shellLess.set(cluster.connection, known)
  let wrapped = options.wrapper === 'auto' && (wanted !== undefined || !known.has(place.containerId ?? ''))
  for (let round = 0; ; round++) {
    const wrapping = wrapped ? wrap({ request: checked, integrity, blocks, stdin }) : undefined
    const tried = await attempt({ ...options, integrity, wrapping, deadline })
    await tried.decided
    if (tried.started()) return tried
    const error = await failureOf(tried)
    if (error.code === 'EXEC_NO_SHELL') {
      const { reason } = error.details
      if (wanted !== undefined)
        throw errors.EXEC_NO_SHELL({ command, wanted, reason: typeof reason === 'string' ? reason : '' })
      if (place.containerId !== undefined) remember(known, place.containerId)
      wrapped = false
      continue
    }
    // Nothing was run: it had not begun when the cluster said so.
    const pause = Math.round((0.5 + random() / 2) * Math.min(backoffMs.first * 2 ** round, backoffMs.longest))
    if (error.code !== 'EXEC_UNREACHABLE' || clock.monotonic() + pause >= deadline) throw error
    await clock.sleep(pause, signal)
  }
}

/** How a command ended that never began. */
async function failureOf({ running }: Attempt): Promise<HoldfastError> {
  try {
    await running.result
  } catch (error) {
    if (isHoldfastError(error)) return error
    throw error
  }
  return errors.EXEC_STATUS({ command: running.command, reason: 'it ended before it began', stderrTail: '' })
}

function remember(known: Set<string>, containerId: string): void {
  known.add(containerId)
  const [oldest] = known
  if (known.size > mostShellLess && oldest !== undefined) known.delete(oldest)
}

/** @returns what of the request needs a shell, for messages */
function checkWanted(
  { env, cwd, integrity = 'status' }: ExecRequest,
  { command, file }: CheckedRequest,
  wrapper: 'auto' | 'never',
): string | undefined {
  const refuse = (reason: string): Error => errors.EXEC_REQUEST({ command, reason })
  const names = Object.keys(env ?? {})
  const odd = names.find((name) => !isShellName(name))
  if (odd !== undefined) throw refuse(`a shell cannot set the variable "${odd}"`)
  const wanted = [
    names.length > 0 && 'env',
    cwd !== undefined && 'cwd',
    integrity !== 'status' && `integrity "${integrity}"`,
  ].filter((each) => each !== false)
  if (wrapper === 'never' && wanted.length > 0) throw refuse(`${wanted.join(' and ')} cannot be had without a shell`)
  if (wrapper === 'auto' && file.startsWith('-')) throw refuse('its name begins with a dash')
  return wanted.length === 0 ? undefined : wanted.join(' and ')
}

function placeOf(where: ContainerRef, connection: Connection, command: string): Place {
  if (!('pod' in where)) throw errors.EXEC_REQUEST({ command, reason: 'a pod that is not looked for must be named' })
  const { pod, namespace = connection.namespace } = where
  const odd = [pod, namespace].find((name) => !isPathName(name))
  if (odd !== undefined) throw errors.EXEC_NO_POD({ command, reason: `"${odd}" is no name of a pod or namespace` })
  return {
    namespace,
    pod,
    container: where.container,
    containerId: undefined,
  }
}
