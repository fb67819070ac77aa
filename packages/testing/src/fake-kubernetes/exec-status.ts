// What the status channel says, as a kube-apiserver 1.34 with containerd words it.
import { exitCodeOf, type ExecExit } from './exec-process.ts'
import { internalError } from './status.ts'

/** The command ended. Version 5 of the protocol is translated on its way, and says things twice. */
export function exitStatus(exit: ExecExit, argv: readonly string[], isV5: boolean): string {
  const code = exitCodeOf(exit)
  if (code === 0) return successStatus
  const what = isV5
    ? `command terminated with exit code ${code}`
    : `error executing command [${argv.join(' ')}], exit code ${code}`
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: ${what}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  })
}

/** The command was never started. */
export function startErrorStatus(message: string, isV5: boolean): string {
  return JSON.stringify(internalError(isV5 ? `Internal error occurred: ${message}` : message).body)
}

/** There was nobody to start it. */
export function absentStatus(message: string): string {
  return JSON.stringify(internalError(`unable to upgrade connection: ${message}`).body)
}

export const successStatus = JSON.stringify({ metadata: {}, status: 'Success' })
