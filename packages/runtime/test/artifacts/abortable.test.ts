import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { abortable } from '../../src/artifacts/abortable.ts'
import { collect, signal } from './support.ts'

async function* count(to: number): AsyncGenerator<number> {
  for (let n = 0; n < to; n++) yield n
}

test('a stream passes as it is', async () => {
  expect(await collect(abortable(count(5), signal))).toEqual([0, 1, 2, 3, 4])
  const failure = new Error('no')
  async function* broken(): AsyncGenerator<number> {
    yield 1
    throw failure
  }
  await expect(collect(abortable(broken(), signal))).rejects.toBe(failure)
})

test('an abort ends it at once, also when the source hangs, and closes the source', async () => {
  const abort = new AbortController()
  const reason = new Error('enough')
  async function* hangs(): AsyncGenerator<number> {
    yield 1
    await new Promise(() => {})
  }
  const reading = collect(abortable(hangs(), abort.signal))
  setTimeout(() => abort.abort(reason), 5)
  await expect(reading).rejects.toBe(reason)
  await expect(collect(abortable(count(1), abort.signal))).rejects.toBe(reason)

  const later = new AbortController()
  let closed = false
  async function* closes(): AsyncGenerator<number> {
    try {
      for (let n = 0; ; n++) yield n
    } finally {
      closed = true
    }
  }
  const seen: number[] = []
  const stopped = (async () => {
    for await (const n of abortable(closes(), later.signal)) {
      seen.push(n)
      if (n === 2) later.abort(reason)
    }
  })()
  await expect(stopped).rejects.toBe(reason)
  expect(seen).toEqual([0, 1, 2])
  expect(closed).toBe(true)
})

test('what has passed is forgotten: a stream of any length takes no more memory', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const passed: WeakRef<object>[] = []
  async function* items(): AsyncGenerator<object> {
    for (let n = 0; n < 100; n++) {
      const item = { n }
      passed.push(new WeakRef(item))
      yield item
    }
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    expect(passed.filter((reference) => reference.deref() !== undefined).length).toBeLessThan(10)
  }
  let read = 0
  for await (const item of abortable(items(), signal)) read += item ? 1 : 0
  expect(read).toBe(100)
})
