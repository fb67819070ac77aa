/**
 * A stream that ends with the signal's reason when it is aborted, also while its source says nothing at all.
 */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  // One promise for each item: racing them all against one that lives as long as the stream would keep every item.
  let giveUp = (): void => {}
  const abort = (): void => giveUp()
  signal.addEventListener('abort', abort, { once: true })
  let ended = false
  try {
    for (;;) {
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T, unknown>>()
      giveUp = () => reject(signal.reason as Error)
      iterator.next().then(resolve, reject)
      const next = await promise
      if (next.done) {
        ended = true
        return
      }
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // Not waited for: a source that hangs would never answer. What it fails with then says nothing new.
    if (!ended) iterator.return?.().catch(() => {})
  }
}
