import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { driverOf, failure, keys, KiB, partSize, pattern, put, read, signal, useCredentials } from './support/driver.ts'
import { startS3, type S3Server } from './support/s3-server.ts'

useCredentials()

const key = 'shop/orders/run/dump.data'
const size = 8 * partSize
const percents = Array.from({ length: 20 }, (_, n) => n * 5)

// What Node compiles for one process serves the next ones, which halves their start.
const cache = mkdtempSync(join(tmpdir(), 'holdfast-kill-'))
afterAll(() => rmSync(cache, { recursive: true }))

/** A process that stores the object. */
function store({ url }: S3Server): ChildProcess {
  const script = join(import.meta.dirname, 'kill.child.ts')
  const args = ['--conditions=@holdfast/source', script, url, `${size}`, `${partSize}`]
  return spawn(process.execPath, args, { stdio: 'inherit', env: { ...env, NODE_COMPILE_CACHE: cache } })
}

/** Kills one when the service has got so many bytes. */
async function killAt(bytes: number): Promise<S3Server> {
  let received = 0
  let kill = (): void => {}
  const server = await startS3({
    smallestPart: partSize,
    onBytes(length) {
      received += length
      if (received >= bytes) kill()
    },
    fault: ({ operation }) => {
      if (operation === 'UploadPart' && bytes === 0) kill()
      return undefined
    },
  })
  const child = store(server)
  kill = () => void child.kill('SIGKILL')
  const ended = (await once(child, 'close')) as unknown[]
  expect(ended).toEqual([null, 'SIGKILL'])
  // What is still on its way arrives.
  await new Promise((resolve) => setTimeout(resolve, 20))
  return server
}

beforeAll(async () => {
  const server = await startS3({ smallestPart: partSize })
  const ended = (await once(store(server), 'close')) as unknown[]
  // Left alone, it stores all of it.
  expect(ended).toEqual([0, null])
  expect([server.objects.get(key)?.size, server.uploads.size]).toEqual([size, 0])
  await server.close()
})

describe('fault F48: kill -9 in the middle of an upload', () => {
  // Several at once: they mostly wait for each other's start.
  test.concurrent.each(percents)(
    'at %i percent of it: nothing is there, and the sweep removes what is left',
    async (percent) => {
      const server = await killAt((size * percent) / 100)
      expect(server.uploads.size).toBe(1)
      const { driver } = driverOf(server)
      expect(await keys(driver)).toEqual([])
      expect((await failure(read(driver.get(key, { signal })))).code).toBe('STORAGE_NOT_FOUND')

      await driver.sweep?.(new Date(0), { signal })
      expect(server.uploads.size).toBe(1)
      await driver.sweep?.(new Date(Date.now() + 60_000), { signal })
      expect(server.uploads.size).toBe(0)

      await put(driver, key, pattern(300 * KiB))
      expect((await read(driver.get(key, { signal }))).equals(pattern(300 * KiB))).toBe(true)
      await server.close()
    },
  )
})
