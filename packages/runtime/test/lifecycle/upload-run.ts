import { join } from 'node:path'
import { createTestRun, type TestRun } from '@holdfast/testing'
import { definePlugin, type StorageDriver } from '@holdfast/sdk'
import { fsStorage } from '@holdfast/runtime'
import { anything } from './hooks.ts'

/** What is uploaded: not to be compressed to nothing, and no two parts alike. */
export const upload: Buffer = Buffer.from(
  Array.from({ length: 40_000 }, (_, n) => `${(n * 2_654_435_761) % 4_294_967_296}\n`).join(''),
)

/** Options of {@link uploadRun}. */
export interface UploadRunOptions {
  readonly now?: string
  /** Parts in which the store gets the data. */
  readonly parts?: number
  /** Called when so many of them are written. */
  readonly at?: (written: number) => Promise<void>
}

/** A plan that uploads to a directory: the real runner, a journal and the store for directories. */
export function uploadRun(
  place: string,
  { now, parts = 1, at = async () => {} }: UploadRunOptions = {},
): Promise<TestRun> {
  const driver = fsStorage({ path: join(place, 'store') })
  const storage: StorageDriver = {
    ...driver,
    put: (key, body, options) => driver.put(key, key.includes('.data') ? inParts(body, parts, at) : body, options),
  }
  const use = [
    definePlugin({
      name: 'upload',
      version: '1.0.0',
      sdk: '^1.0',
      config: anything<object>(),
      hooks: { backups: (ctx) => ctx.createArtifact('data', (sink) => sink.write(upload)) },
    })({}),
  ]
  const plan = { retention: { latest: 1 } }
  return createTestRun({ use, plan, now, stateDirectory: join(place, 'state'), config: { storage } })
}

async function* inParts(
  body: AsyncIterable<Uint8Array>,
  parts: number,
  at: (written: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(Uint8Array.from(chunk))
  const whole = Buffer.concat(chunks)
  for (let part = 0; part < parts; part++) {
    await at(part)
    yield whole.subarray(Math.floor((whole.length / parts) * part), Math.floor((whole.length / parts) * (part + 1)))
  }
  await at(parts)
}
