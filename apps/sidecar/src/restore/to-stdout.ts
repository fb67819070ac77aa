import { isHoldfastError } from '@holdfast/sdk'
import { formatBytes, reasonOf, toFailure } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode, exitCodeOfFailure, exitCodeOfSignal } from '../exit-codes.ts'
import type { Signal } from '../io.ts'
import type { Backup } from './backup.ts'

/**
 * Writes the bytes of an artifact to standard output, and says everything else on standard error. Whether they are the
 * right ones is known at their end only, and is what the exit code says.
 *
 * @throws HoldfastError `OPTION_CONFLICT`, `OPTION_INVALID`, `RESTORE_SEVERAL`; then nothing was written
 */
export async function restoreToStdout(context: CommandContext, backup: Backup): Promise<number> {
  const { io, settings, screen } = context
  if (settings.json) {
    throw errors.OPTION_CONFLICT({ option: '--json', other: '--to -', reason: 'standard output is for the bytes' })
  }
  if (io.stdout.isTTY) {
    throw errors.OPTION_INVALID({ option: '--to', value: '-', allowed: '- before a pipe or >FILE, not on a terminal' })
  }
  const [found, ...more] = backup.artifacts
  if (!found || more.length > 0) {
    const names = backup.artifacts.map(({ artifact }) => artifact.name)
    throw errors.RESTORE_SEVERAL({ backup: backup.id, artifacts: names.join(', '), first: names[0] ?? 'NAME' })
  }
  const { artifact, store } = found
  const stop = new AbortController()
  let received: Signal | undefined
  const close = io.onSignal((signal) => {
    received ??= signal
    stop.abort(new Error(`stopped by ${signal}`))
  })
  let written = 0
  try {
    for await (const chunk of store.open(artifact.id, { signal: stop.signal })) {
      await io.writeBytes(chunk)
      written += chunk.length
      screen.status(`  … ${artifact.name}: ${formatBytes(written)} of ${formatBytes(artifact.size)}`)
    }
    screen.status(undefined)
    screen.write(`${artifact.id}: ${formatBytes(written)} written, sha256 ${artifact.sha256}, compared\n`)
    return exitCode.ok
  } catch (error) {
    screen.status(undefined)
    const failure = isHoldfastError(error)
      ? toFailure(error, { target: artifact.target })
      : errors.RESTORE_CUT({ written, size: artifact.size, reason: reasonOf(error) }, { cause: error })
    context.fail(failure)
    if (written > 0)
      screen.write(`Do not use the ${formatBytes(written)} that were written: they are not whole, or not right.\n`)
    return received === undefined ? exitCodeOfFailure(failure) : exitCodeOfSignal(received)
  } finally {
    close()
  }
}
