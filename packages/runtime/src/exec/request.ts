import { isSecret, parseDuration, type Duration, type ExecRequest } from '@holdfast/sdk'
import { secretAsText } from '@holdfast/sdk/internal'
import { errors } from '../errors.ts'
import type { Redactor } from '../telemetry/redaction.ts'
import { requireInterpreter } from './launch-error.ts'

/** A request that can be run as it is. */
export interface CheckedRequest {
  readonly file: string
  readonly args: readonly string[]
  /** The program, for messages: never its arguments. */
  readonly command: string
  /** Those of the request itself, in the clear. */
  readonly ownEnv: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  readonly timeoutMs: number | undefined
  readonly idleMs: number | undefined
  readonly okExitCodes: readonly number[]
}

/** A request that can be run on this machine. */
export interface LocalRequest extends CheckedRequest {
  readonly env: NodeJS.ProcessEnv
  readonly stopSignal: ExecRequest['stopSignal']
}

/**
 * Checks a request for this machine before anything is started.
 *
 * @throws HoldfastError `EXEC_REQUEST`, `EXEC_SECRET_IN_ARGV`, `EXEC_FORMAT`
 */
export function checkLocal(request: ExecRequest, inherited: NodeJS.ProcessEnv, redactor: Redactor): LocalRequest {
  const checked = checkRequest(request, redactor)
  requireInterpreter(checked.file, checked.cwd)
  return { ...checked, env: { ...inherited, ...checked.ownEnv }, stopSignal: request.stopSignal }
}

/**
 * Checks a request before anything is started, and makes the secrets in its environment known to the redactor.
 *
 * @throws HoldfastError `EXEC_REQUEST`, `EXEC_SECRET_IN_ARGV`
 */
export function checkRequest(request: ExecRequest, redactor: Redactor): CheckedRequest {
  const [file, ...args] = request.command
  const command = typeof file === 'string' ? redactor.text(file) : ''
  const refuse = (reason: string): Error => errors.EXEC_REQUEST({ command: command || 'a command', reason })
  if (typeof file !== 'string' || file === '') throw refuse('its command is empty')

  const ownEnv: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.env ?? {})) {
    const plain = isSecret(value) ? value.reveal() : value
    if (isSecret(value)) redactor.add(plain)
    const text = `${name}${plain}`
    if (text.includes('\0')) throw refuse(`the variable ${name} holds a zero byte`)
    // A command that is given this is not given the secret, and can only fail, at night.
    if (!isSecret(value) && text.includes(secretAsText)) {
      throw refuse(`the variable ${name} has a secret in it that was made text: use its reveal()`)
    }
    ownEnv[name] = plain
  }
  for (const [position, arg] of request.command.entries()) {
    if (typeof arg !== 'string') throw refuse(`its argument ${position} is no text`)
    if (arg.includes('\0')) throw refuse(`its argument ${position} holds a zero byte`)
    if (arg.includes(secretAsText)) {
      throw refuse(
        // Not repeated: whoever is told of this by a command could not be told.
        `its argument ${position} has a secret in it that was made text: hand it to env or stdin`,
      )
    }
    if (redactor.exposes(arg)) throw errors.EXEC_SECRET_IN_ARGV({ command, position })
  }
  const duration = (name: 'timeout' | 'idleTimeout'): number | undefined => {
    const value: Duration | undefined = request[name]
    try {
      return value === undefined ? undefined : parseDuration(value)
    } catch (error) {
      throw errors.EXEC_REQUEST({ command, reason: `${name}: ${(error as Error).message}` }, { cause: error })
    }
  }
  return {
    file,
    args,
    command,
    ownEnv,
    cwd: request.cwd,
    timeoutMs: duration('timeout'),
    idleMs: duration('idleTimeout'),
    okExitCodes: request.okExitCodes ?? [0],
  }
}
