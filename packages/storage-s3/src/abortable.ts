/**
 * A stream that ends with the signal's reason as soon as it is aborted, also while its source says nothing at all.
 */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  let stop = (): void => {}
  const abort = (): void => stop()
  signal.addEventListener('abort', abort, { once: true })
  let ended = false
  try {
    for (;;) {
      signal.throwIfAborted()
      // A promise for each item: one that lives as long as the stream would keep them all.
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T, unknown>>()
      stop = () => reject(signal.reason as Error)
      iterator.next().then(resolve, reject)
      const next = await promise
      if (next.done === true) {
        ended = true
        return
      }
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // Not waited for: a source that hangs never answers.
    if (!ended) iterator.return?.().catch(() => {})
  }
}
