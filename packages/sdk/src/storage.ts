import type { Bytes } from './json.ts'

/**
 * Keeps bytes under keys. The conformance suite in `@holdfast/testing` is what makes a driver one. When its signal aborts,
 * each method ends at once, and rejects with the reason of the signal.
 *
 * The function that opens one has no context: it checks its options and reads its secrets itself, from `{ env }` or
 * `{ file }`. What it throws, `holdfast validate` says.
 */
export interface StorageDriver {
  readonly name: string
  /** Where it is, for people: `file:///backups`, `s3://bucket/prefix`. Without what is secret. */
  readonly address?: string | undefined
  readonly capabilities: { readonly atomicPut: boolean; readonly rangeRead: boolean; readonly objectLock: boolean }
  /** Where it writes on this machine, if it does: never to be frozen. */
  readonly localDirectory?: string | undefined
  /** Durable when it resolves; nothing new under the key when it rejects. Keys are relative paths whose parts, between `/`, are percent-encoded. */
  put(key: string, body: Bytes, options: { signal: AbortSignal }): Promise<void>
  /**
   * @param options - `range`: bytes from `start` to before `end`
   * @throws HoldfastError `STORAGE_NOT_FOUND` (on the first read) when there is no such key
   */
  get(key: string, options: { signal: AbortSignal; range?: { start: number; end?: number } }): Bytes
  /** In the code point order of keys; only finished objects. */
  list(prefix: string, options: { signal: AbortSignal }): AsyncIterable<{ key: string; size: number }>
  /** Deleting what isn't there is no error. */
  delete(key: string, options: { signal: AbortSignal }): Promise<void>
  /** Removes unfinished uploads older than this, below `prefix` only (default: everywhere). */
  sweep?(before: Date, options: { signal: AbortSignal; prefix?: string }): Promise<void>
}
