import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blockSize, createBlockSink } from '../../src/artifacts/block-sink.ts'
import { collect } from './support.ts'

test('what was written comes out, whatever the sizes, and although the memory is used again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.nat(5000), fc.constantFrom(0, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize)), {
        maxLength: 6,
      }),
      async (sizes) => {
        const pipe = createBlockSink()
        const expected: Buffer[] = []
        const read = collect(pipe.blocks)
        const reused = Buffer.alloc(Math.max(0, ...sizes))
        for (const [n, size] of sizes.entries()) {
          const chunk = reused.subarray(0, size).fill(n + 1)
          expected.push(Buffer.from(chunk))
          await pipe.sink.write(chunk)
          chunk.fill(0)
        }
        await pipe.end()
        expect(Buffer.concat(await read).equals(Buffer.concat(expected))).toBe(true)
        expect(pipe.size).toBe(sizes.reduce((sum, size) => sum + size, 0))
      },
    ),
    { numRuns: 30 },
  )
})

test('blocks that were given back are filled again without harm', async () => {
  const pipe = createBlockSink()
  const written = (async () => {
    for (let n = 0; n < 20; n++) await pipe.sink.write(Buffer.alloc(blockSize, n))
    await pipe.end()
  })()
  const seen: number[] = []
  const buffers = new Set<ArrayBufferLike>()
  for await (const block of pipe.blocks) {
    expect(block.every((byte) => byte === block[0])).toBe(true)
    seen.push(block[0] ?? -1)
    buffers.add(block.buffer)
    pipe.release(block)
  }
  await written
  expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n))
  expect(buffers.size).toBeLessThan(5)
})

test('a write waits for the reader: memory is bounded', async () => {
  const pipe = createBlockSink()
  let done = 0
  const writes = (async () => {
    for (let n = 0; n < 10; n++) {
      await pipe.sink.write(Buffer.alloc(blockSize, n))
      done++
    }
    await pipe.end()
  })()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(done).toBeLessThanOrEqual(2)
  expect(pipe.size).toBeLessThanOrEqual(3 * blockSize)
  await collect(pipe.blocks)
  await writes
  expect(done).toBe(10)
})

test('writes that nobody waits for keep their order and are all there', async () => {
  const pipe = createBlockSink()
  for (let n = 0; n < 100; n++) void pipe.sink.write(Buffer.from(`${n},`))
  const ended = pipe.settled().then(() => pipe.end())
  const text = Buffer.concat(await collect(pipe.blocks)).toString()
  await ended
  expect(text).toBe(Array.from({ length: 100 }, (_, n) => `${n},`).join(''))
})

test('a failure ends both sides with the same error, the first one', async () => {
  const pipe = createBlockSink()
  const error = new Error('no room')
  const reading = collect(pipe.blocks)
  const writing = (async () => {
    for (;;) await pipe.sink.write(Buffer.alloc(blockSize))
  })()
  pipe.fail(error)
  pipe.fail(new Error('later'))
  await expect(reading).rejects.toBe(error)
  await expect(writing).rejects.toBe(error)
  await expect(pipe.sink.write(Buffer.alloc(1))).rejects.toBe(error)
})

test('when the reader goes away, a writer hears why', async () => {
  const pipe = createBlockSink()
  const writing = (async () => {
    for (;;) await pipe.sink.write(Buffer.alloc(blockSize))
  })()
  for await (const block of pipe.blocks) {
    expect(block.length).toBe(blockSize)
    break
  }
  const error = new Error('disk full')
  pipe.fail(error)
  await expect(writing).rejects.toBe(error)
})

test.each([
  ['text', 'a dump'],
  ['a number', 7],
  ['undefined', undefined],
])('%s is no bytes, and fails the whole, although nobody waits for the write', async (found, chunk) => {
  const pipe = createBlockSink()
  const read = collect(pipe.blocks)
  void pipe.sink.write(Buffer.from('before'))
  void pipe.sink.write(chunk as unknown as Uint8Array)
  await expect(pipe.end()).rejects.toMatchObject({
    code: 'ARTIFACT_NOT_BYTES',
    message: `${found} was written into an artifact, which is made of bytes`,
    hint: expect.stringContaining('Buffer.from(text)'),
  })
  await expect(read).rejects.toMatchObject({ code: 'ARTIFACT_NOT_BYTES' })
})

test('a write after the end is refused', async () => {
  const pipe = createBlockSink()
  await pipe.end()
  await expect(pipe.sink.write(Buffer.alloc(1))).rejects.toMatchObject({ code: 'ARTIFACT_SINK_CLOSED' })
})
