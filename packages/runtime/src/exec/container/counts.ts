import { isHoldfastError, type ExecResult, type Meter } from '@holdfast/sdk'

/** Counts the commands that are run in containers. */
export interface ExecCounts {
  /** Counts how a command ends. */
  follow(result: Promise<ExecResult>): void
  bytes(count: number): void
  /** It could not be started. */
  failed(error: unknown): void
}

/** @param meter - without one, nothing is counted */
export function countExecs(meter: Meter | undefined, container: string): ExecCounts {
  const streams = meter?.counter('holdfast_exec_streams_total', 'Commands that were run in containers.', [
    'result',
    'container',
  ])
  const bytes = meter?.counter('holdfast_exec_bytes_total', 'Bytes of standard output of commands in containers.', [
    'container',
  ])
  const failed = (error: unknown): void => {
    // `EXEC_LOST` → `lost`: codes are few.
    const result = isHoldfastError(error) ? error.code.replace(/^EXEC_/, '').toLowerCase() : 'error'
    streams?.add(1, { result, container })
  }
  return {
    failed,
    follow(result) {
      result.then(() => streams?.add(1, { result: 'success', container }), failed)
    },
    bytes: (count) => bytes?.add(count, { container }),
  }
}
