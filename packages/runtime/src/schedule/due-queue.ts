/** Items by the time at which they are due, the earliest first: a binary heap, for one timer over thousands of plans. */
export interface DueQueue<T> {
  add(at: number, item: T): void
  /** When the earliest item is due; `undefined` when there is none. */
  readonly earliest: number | undefined
  /** Takes the earliest item out. */
  take(): T | undefined
  clear(): void
}

interface Due<T> {
  readonly at: number
  readonly item: T
}

/** An empty queue. */
export function createDueQueue<T>(): DueQueue<T> {
  const heap: Due<T>[] = []

  const isEarlier = (a: Due<T> | undefined, b: Due<T> | undefined): boolean =>
    a !== undefined && (b === undefined || a.at < b.at)

  // Moves the hole at `index` down until `due` fits.
  const sink = (due: Due<T>, start: number): void => {
    let index = start
    for (;;) {
      const left = 2 * index + 1
      const child = isEarlier(heap[left + 1], heap[left]) ? left + 1 : left
      const candidate = heap[child]
      if (candidate === undefined || !isEarlier(candidate, due)) break
      heap[index] = candidate
      index = child
    }
    heap[index] = due
  }

  return {
    add(at, item) {
      const due = { at, item }
      let index = heap.push(due) - 1
      while (index > 0) {
        const parent = (index - 1) >> 1
        const above = heap[parent]
        if (above === undefined || !isEarlier(due, above)) break
        heap[index] = above
        index = parent
      }
      heap[index] = due
    },
    get earliest() {
      return heap[0]?.at
    },
    take() {
      const [first] = heap
      const last = heap.pop()
      if (last !== undefined && heap.length > 0) sink(last, 0)
      return first?.item
    },
    clear() {
      heap.length = 0
    },
  }
}
