import { isHoldfastError, type HoldfastError, type Sink } from '@holdfast/sdk'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import { createBlockSink, type BlockSink } from './block-sink.ts'
import type { Digest } from './digest.ts'

/** What is transferred, and to where. */
export interface Transfer {
  /** The artifact's id, for messages. */
  readonly id: string
  readonly signal: AbortSignal
  /** Bytes. */
  readonly minSize: number
  readonly produce: (sink: Sink) => unknown
  /** Is told what was stored. */
  readonly stored: Digest
  readonly write: (pipe: BlockSink) => Promise<void>
}

/** Runs the producer and the store side by side; whichever fails first says why, and stops the other. */
export async function transfer({ id, signal, minSize, produce, stored, write }: Transfer): Promise<void> {
  if (signal.aborted) throw abortError(id, signal)
  const pipe: BlockSink = createBlockSink()
  const aborted = Promise.withResolvers<void>()
  const abort = (): void => {
    pipe.fail(abortError(id, signal))
    aborted.resolve()
  }
  signal.addEventListener('abort', abort, { once: true })
  const produced = (async () => {
    try {
      await produce(pipe.sink)
    } catch (error) {
      throw isHoldfastError(error)
        ? error
        : errors.ARTIFACT_PRODUCE_FAILED({ artifact: id, reason: reasonOf(error) }, { cause: error })
    }
    // Writes that the producer didn't wait for count too.
    await pipe.settled()
    if (pipe.size < minSize) throw errors.ARTIFACT_TOO_SMALL({ artifact: id, size: pipe.size, minSize })
    await pipe.end()
  })()
  const written = (async () => {
    await write(pipe)
    // A driver that is content with less has not stored it.
    if (!stored.complete)
      throw errors.STORAGE_IO({ operation: 'put', key: id, reason: 'the driver did not read all of it' })
  })()
  const both = [produced, written].map((side) => side.catch((error: unknown) => pipe.fail(error)))
  try {
    // A producer that ignores the abort is left behind; the store is waited for, so that cleaning up comes after it.
    await Promise.race([both[0], aborted.promise])
    await both[1]
  } finally {
    signal.removeEventListener('abort', abort)
  }
  if (pipe.failure) throw pipe.failure.error
}

/** Why an artifact was given up: the signal's own HoldfastError, or `ARTIFACT_ABORTED`. */
export function abortError(artifact: string, signal: AbortSignal): HoldfastError {
  const reason: unknown = signal.reason
  if (isHoldfastError(reason)) return reason
  return errors.ARTIFACT_ABORTED({ artifact, reason: reasonOf(reason) }, { cause: reason })
}
