import { describe, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { createDriver } from '../src/create-driver.ts'
import { parseOptions } from '../src/options.ts'
import {
  chunks,
  driverOf,
  failure,
  keys,
  partSize,
  pattern,
  put,
  read,
  signal,
  useCredentials,
  useServers,
} from './support/driver.ts'
import type { Fault, S3Server, Seen } from './support/s3-server.ts'

useCredentials()
const start = useServers()

const bytes = pattern(3 * partSize + 3)
const parts = [1, 2, 3, 4]

const at =
  (operation: Seen['operation'], fault: Fault, when: (seen: Seen) => boolean = () => true) =>
  (seen: Seen): Fault | undefined =>
    seen.operation === operation && when(seen) ? fault : undefined

/** Nothing is there: no object, and no parts that somebody pays for. */
function expectNothing({ objects, uploads }: S3Server): void {
  expect([...objects.keys()]).toEqual([])
  expect([...uploads.keys()]).toEqual([])
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 1))
}

describe('fault F48: 500 at part N', () => {
  test.each(parts)('of part %i once: it is sent again, and what is stored is whole', async (part) => {
    let failed = false
    const server = await start({
      fault: at('UploadPart', { status: 500, code: 'InternalError' }, (seen) => {
        const fails = seen.part === part && !failed
        failed ||= fails
        return fails
      }),
    })
    const { driver, clock } = driverOf(server)
    await put(driver, 'p/dump.data', bytes)
    expect(failed).toBe(true)
    expect(clock.sleeps).toHaveLength(1)
    expect((await read(driver.get('p/dump.data', { signal }))).equals(bytes)).toBe(true)
    expect(server.uploads.size).toBe(0)
  })

  test.each(parts)('of part %i for good: the put fails, and the upload is forgotten', async (part) => {
    const server = await start({
      fault: at(
        'UploadPart',
        { status: 500, code: 'InternalError', message: 'We failed' },
        (seen) => seen.part === part,
      ),
    })
    const { driver, clock } = driverOf(server)
    const error = await failure(put(driver, 'p/dump.data', bytes))
    expect(error).toMatchObject({ code: 'STORAGE_IO', retryable: true })
    expect(error.message).toBe('the store failed at put "p/dump.data": InternalError: We failed')
    expect(error.hint).toContain('does not count as a backup; earlier ones are untouched')
    expectNothing(server)
    // Five minutes, not for ever.
    const waited = clock.sleeps.reduce((sum, ms) => sum + ms, 0)
    expect(waited).toBeLessThanOrEqual(4 * 300_000)
    expect(clock.sleeps.length).toBeGreaterThan(10)
  })

  test('before the first part, in the last step, and in a small object', async () => {
    for (const operation of ['CreateUpload', 'CompleteUpload', 'PutObject'] as const) {
      const server = await start({ fault: at(operation, { status: 500, code: 'InternalError' }) })
      const { driver } = driverOf(server)
      const object = operation === 'PutObject' ? bytes.subarray(0, 1000) : bytes
      expect((await failure(put(driver, 'p/dump.data', object))).code).toBe('STORAGE_IO')
      expectNothing(server)
    }
  })

  test('an old object stays as it was', async () => {
    const server = await start()
    const { driver } = driverOf(server)
    await put(driver, 'k', 'old')
    server.fail((seen) =>
      seen.operation === 'UploadPart' || seen.operation === 'PutObject'
        ? { status: 500, code: 'InternalError' }
        : undefined,
    )
    await failure(put(driver, 'k', 'new'))
    await failure(put(driver, 'k', bytes))
    expect((await read(driver.get('k', { signal }))).toString()).toBe('old')
  })
})

describe('fault F48: the connection is cut', () => {
  test.each(parts)('in part %i once: it is sent again', async (part) => {
    let cut = false
    const server = await start({
      fault: at('UploadPart', { cutAfter: 2 }, (seen) => {
        const cuts = seen.part === part && !cut
        cut ||= cuts
        return cuts
      }),
    })
    const { driver } = driverOf(server)
    await put(driver, 'dump', bytes)
    expect(cut).toBe(true)
    expect((await read(driver.get('dump', { signal }))).equals(bytes)).toBe(true)
  })

  test.each(parts)('in part %i every time: the put fails, and the upload is forgotten', async (part) => {
    const server = await start({ fault: at('UploadPart', { cutAfter: 2 }, (seen) => seen.part === part) })
    const error = await failure(put(driverOf(server).driver, 'dump', bytes))
    expect(error).toMatchObject({ code: 'STORAGE_UNREACHABLE', retryable: true })
    expect(error.message).toContain(server.url)
    expectNothing(server)
  })

  test('before the answer to the last step: what is there is found to be ours', async () => {
    const server = await start({ fault: at('CompleteUpload', 'no-answer', (seen) => seen.count === 1) })
    const { driver } = driverOf(server)
    await put(driver, 'dump', bytes)
    expect(server.requests.map(({ operation }) => operation)).toContain('HeadObject')
    expect((await read(driver.get('dump', { signal }))).equals(bytes)).toBe(true)
  })

  test('before every answer to the last step: what was stored is taken back', async () => {
    const server = await start({ fault: at('CompleteUpload', 'no-answer') })
    const { driver } = driverOf(server, { retryFor: 0 })
    expect((await failure(put(driver, 'dump', bytes))).code).toBe('STORAGE_UNREACHABLE')
    expectNothing(server)
  })

  test('before the answer to a small object: it is taken back, and nothing of anybody else', async () => {
    const server = await start({ fault: at('PutObject', 'no-answer') })
    const { driver } = driverOf(server, { retryFor: 0 })
    expect((await failure(put(driver, 'small', 'x'))).code).toBe('STORAGE_UNREACHABLE')
    expectNothing(server)
    server.fail(undefined)
    await put(driver, 'small', 'of an earlier put')
    server.fail(at('PutObject', { cutAfter: 0 }))
    await failure(put(driver, 'small', 'x'))
    expect((await read(driver.get('small', { signal }))).toString()).toBe('of an earlier put')
  })
})

describe('fault F48: slow', () => {
  test('a service that stops reading is given up after its time, and forgotten', async () => {
    const server = await start({ fault: at('UploadPart', 'silence', (seen) => seen.part === 2) })
    const { driver } = driverOf(server, { timeout: 100, retryFor: 0 })
    const error = await failure(put(driver, 'dump', bytes))
    expect(error.code).toBe('STORAGE_UNREACHABLE')
    expect(error.message).toMatch(/timed out after 100 ms of inactivity$/)
    expectNothing(server)
  })

  test('a service that never answers is given up after its time, whatever is asked', async () => {
    const server = await start({ fault: () => 'silence' })
    const { driver } = driverOf(server, { timeout: 50, retryFor: 0 })
    const attempts = {
      put: () => put(driver, 'k', 'x'),
      get: () => read(driver.get('k', { signal })),
      list: () => keys(driver),
      delete: () => driver.delete('k', { signal }),
      sweep: async () => driver.sweep?.(new Date(), { signal }),
    }
    for (const [operation, attempt] of Object.entries(attempts))
      expect((await failure(attempt())).code, operation).toBe('STORAGE_UNREACHABLE')
  })

  test('a part that takes longer than a connection may say nothing is no failure while it gets on', async () => {
    const server = await start({ slow: 30 * 2 ** 20 })
    const config = parseOptions({ bucket: server.bucket, endpoint: server.url, timeout: 500, retryFor: 0 })
    const large = pattern(28 * 2 ** 20)
    await put(createDriver({ ...config, partSize: 24 * 2 ** 20 }, systemClock), 'dump', large)
    expect(server.requests.filter(({ operation }) => operation === 'UploadPart')).toHaveLength(2)
    expect(server.objects.get('dump')?.size).toBe(large.length)
  })

  test('a service that is slower than the dump makes the dump wait: memory is that of the parts', async () => {
    const server = await start({ slow: 4 * 2 ** 20 })
    const { driver } = driverOf(server, { concurrency: 2 })
    let ahead = 0
    let produced = 0
    const stored = (): number =>
      [...server.uploads.values()]
        .flatMap(({ parts: done }) => [...done.values()])
        .reduce((sum, { size }) => sum + size, 0)
    async function* body(): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks(pattern(8 * partSize))) {
        produced += chunk.byteLength
        ahead = Math.max(ahead, produced - stored())
        yield chunk
      }
    }
    await driver.put('dump', body(), { signal })
    expect(ahead).toBeLessThanOrEqual(2 * partSize + 2 * 50_000)
  })
})

describe('fault F48: wrong checksum', () => {
  test.each(parts)('of part %i once: it is sent again', async (part) => {
    let flipped = false
    const server = await start({
      fault: at('UploadPart', 'flipped-bit', (seen) => {
        const flips = seen.part === part && !flipped
        flipped ||= flips
        return flips
      }),
    })
    const { driver } = driverOf(server)
    await put(driver, 'dump', bytes)
    expect(flipped).toBe(true)
    expect((await read(driver.get('dump', { signal }))).equals(bytes)).toBe(true)
  })

  test.each(['crc32', 'sha256'] as const)('every time, by %s: the put fails and says so', async (checksum) => {
    const server = await start({ fault: at('UploadPart', 'flipped-bit', (seen) => seen.part === 3) })
    const { driver } = driverOf(server, { checksum })
    const error = await failure(put(driver, 'dump', bytes))
    expect(error).toMatchObject({ code: 'STORAGE_CHECKSUM', retryable: true })
    expect(error.message).toContain('did not arrive as it was sent')
    expectNothing(server)
  })

  test('over the way back: the reader gets an error, not another byte', async () => {
    const server = await start({ fault: at('GetObject', 'flipped-bit') })
    const { driver } = driverOf(server)
    await put(driver, 'manifest', 'exactly this')
    const error = await failure(read(driver.get('manifest', { signal })))
    expect(error.code).toBe('STORAGE_CHECKSUM')
  })
})

describe('fault F48: the last step', () => {
  test('an error in an answer that says 200 is an error', async () => {
    const server = await start({ fault: at('CompleteUpload', 'error-in-200') })
    const { driver } = driverOf(server)
    expect((await failure(put(driver, 'dump', bytes))).message).toContain('InternalError')
    expectNothing(server)
    server.fail(at('CompleteUpload', 'error-in-200', (seen) => seen.count === 1))
    await put(driver, 'dump', bytes)
    expect(await keys(driver)).toEqual(['dump'])
  })

  test('a page of something in between, which says 200, is no answer', async () => {
    const server = await start({ fault: at('CompleteUpload', 'web-page') })
    const { driver } = driverOf(server)
    const error = await failure(put(driver, 'dump', bytes))
    expect(error.code).toBe('STORAGE_UNREACHABLE')
    expect(error.message).toContain('does not speak S3')
    expectNothing(server)
  })

  test('an upload that somebody else has removed is no backup', async () => {
    const server = await start()
    const { driver } = driverOf(server)
    server.fail((seen) => {
      if (seen.part === 3) server.uploads.clear()
      return undefined
    })
    expect((await failure(put(driver, 'dump', bytes))).message).toContain('NoSuchUpload')
    expectNothing(server)
  })
})

describe('fault F48: abort', () => {
  test.each(['CreateUpload', 'UploadPart', 'CompleteUpload', 'PutObject'] as const)(
    'while the service is at %s: the put ends with the reason, and nothing is there',
    async (operation) => {
      const abort = new AbortController()
      const reason = new Error('shutting down')
      const server = await start({
        fault: at(operation, 'silence', () => {
          setImmediate(() => abort.abort(reason))
          return true
        }),
      })
      const { driver } = driverOf(server)
      const object = operation === 'PutObject' ? bytes.subarray(0, 1000) : bytes
      const work = driver.put('dump', chunks(object), { signal: abort.signal })
      await expect(work).rejects.toBe(reason)
      expectNothing(server)
    },
  )

  test('while it waits to try again', async () => {
    const abort = new AbortController()
    const server = await start({ fault: at('UploadPart', { status: 503, code: 'SlowDown' }) })
    const { driver } = driverOf(server)
    const reason = new Error('shutting down')
    let asked = 0
    server.fail((seen) => {
      if (seen.operation !== 'UploadPart') return undefined
      if (++asked === 3) abort.abort(reason)
      return { status: 503, code: 'SlowDown' }
    })
    await expect(driver.put('dump', chunks(bytes), { signal: abort.signal })).rejects.toBe(reason)
    expectNothing(server)
  })

  test('a stream that fails takes its parts with it', async () => {
    const server = await start()
    const { driver } = driverOf(server)
    const reason = new Error('mongodump ended with exit code 1')
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* chunks(bytes.subarray(0, 2.5 * partSize))
      await until(() => server.requests.some(({ operation }) => operation === 'UploadPart'))
      throw reason
    }
    await expect(driver.put('dump', body(), { signal })).rejects.toBe(reason)
    expectNothing(server)
  })

  test('a part that fails ends a put whose stream says nothing', async () => {
    const server = await start({ fault: at('UploadPart', { status: 403, code: 'AccessDenied', message: 'no' }) })
    const { driver } = driverOf(server)
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* chunks(bytes.subarray(0, 1.5 * partSize))
      await new Promise(() => {})
    }
    expect((await failure(driver.put('dump', body(), { signal }))).code).toBe('STORAGE_DENIED')
    expectNothing(server)
  })
})
