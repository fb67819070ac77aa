import { createArtifactStore } from '@holdfast/runtime'
import { expect, test } from 'vitest'
import { memoryStorage } from '../src/memory-storage.ts'
import { testClock } from '../src/test-clock.ts'

const { signal } = new AbortController()

async function* bytesOf(...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield Buffer.alloc(size, 'x')
}

test('a put of a number fails after so many bytes, once', async () => {
  const storage = memoryStorage({ failPut: { number: 2, afterBytes: 15 } })
  await storage.put('a', bytesOf(100), { signal })
  await expect(storage.put('b', bytesOf(10, 10), { signal })).rejects.toMatchObject({ code: 'STORAGE_IO' })
  await storage.put('c', bytesOf(100), { signal })
  expect([...storage.objects.keys()]).toEqual(['a', 'c'])
  storage.fail({ failPut: { number: 1, afterBytes: 1000 } })
  await expect(storage.put('d', bytesOf(10), { signal })).rejects.toMatchObject({ code: 'STORAGE_IO' })
})

test('it is full when its bytes are used up, and replacing counts what is replaced', async () => {
  const storage = memoryStorage({ capacity: 100 })
  await storage.put('a', bytesOf(60), { signal })
  await expect(storage.put('b', bytesOf(30, 30), { signal })).rejects.toMatchObject({ code: 'STORAGE_FULL' })
  await storage.put('a', bytesOf(90), { signal })
  await storage.delete('a', { signal })
  await storage.put('b', bytesOf(100), { signal })
})

test('what rots is only what is read', async () => {
  const storage = memoryStorage({ corrupt: (_key, bytes) => bytes.fill(0) })
  await storage.put('a', bytesOf(3), { signal })
  const chunks: Uint8Array[] = []
  for await (const chunk of storage.get('a', { signal })) chunks.push(chunk)
  expect(Buffer.concat(chunks).toString('hex')).toBe('000000')
  expect(Buffer.from(storage.objects.get('a') ?? []).toString()).toBe('xxx')
})

test('a slow one takes its time on the clock of the test', async () => {
  const clock = testClock()
  const storage = memoryStorage({ delay: () => clock.sleep('1m') })
  let stored = false
  const put = storage.put('a', bytesOf(1), { signal }).then(() => (stored = true))
  await clock.advance('90s')
  expect(stored).toBe(false)
  await clock.advance('90s')
  await put
})

test('it is enough for the artifact store', async () => {
  const store = createArtifactStore({
    driver: memoryStorage(),
    instance: 'default',
    clock: testClock(),
    log: { warn() {} },
  })
  const encoding = { compression: 'zstd', recipients: [], identity: undefined } as const
  const request = { plan: 'p', target: 't', run: 'r', name: 'n', startedAt: new Date(0), encoding, signal }
  const { id } = await store.create(request, (sink) => sink.write(Buffer.from('hello')))
  expect((await store.verify(id, { signal })).size).toBe(5)
})
