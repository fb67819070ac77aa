/**
 * Maps a stream with several calls under way at once, and keeps its order. Reads ahead no further than that.
 *
 * @param parallel - calls under way at once, at least 1
 */
export async function* mapInOrder<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  parallel: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = []
  for await (const item of source) {
    const result = map(item)
    // One that fails while an earlier one is awaited is told when its turn comes.
    result.catch(() => {})
    pending.push(result)
    if (pending.length >= parallel) yield await (pending.shift() as Promise<R>)
  }
  for (const result of pending) yield await result
}
