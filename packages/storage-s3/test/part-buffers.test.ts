import { expect, test } from 'vitest'
import { createPartBuffers } from '../src/part-buffers.ts'
import { signal } from './support/driver.ts'

test('a buffer is there when there is room for it, and is used again', async () => {
  const buffers = createPartBuffers(100, 2)
  const first = await buffers.take(100, signal)
  await buffers.take(100, signal)
  let third: Buffer | undefined
  const waiting = buffers.take(100, signal).then((buffer) => (third = buffer))
  await new Promise((resolve) => setImmediate(resolve))
  expect(third).toBeUndefined()
  buffers.give(first)
  expect(await waiting).toBe(first)
})

test('larger ones are fewer, and never fewer than two', async () => {
  const buffers = createPartBuffers(100, 4)
  const held = [await buffers.take(100, signal), await buffers.take(100, signal), await buffers.take(100, signal)]
  let larger: Buffer | undefined
  void buffers.take(200, signal).then((buffer) => (larger = buffer))
  for (const buffer of held.slice(0, 2)) {
    expect(larger).toBeUndefined()
    buffers.give(buffer)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(larger).toHaveLength(200)
  // What was too small is given back at once.
  expect(held.map(({ length }) => length)).toEqual([0, 0, 100])
})

test('an abort ends the wait', async () => {
  const buffers = createPartBuffers(100, 2)
  await buffers.take(100, signal)
  await buffers.take(100, signal)
  const abort = new AbortController()
  const waiting = buffers.take(100, abort.signal)
  const reason = new Error('shutting down')
  abort.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(buffers.take(100, abort.signal)).rejects.toBe(reason)
})
