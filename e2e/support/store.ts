// Where backups of a test go: a directory, or a bucket of a server of this process that speaks S3.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startS3 } from '../../packages/storage-s3/test/support/s3-server.ts'

/** A store, as a configuration names it. */
export interface TestStore {
  readonly url: string
  /** What Holdfast needs in its environment to get to it. */
  readonly env: NodeJS.ProcessEnv
  keys(): Promise<readonly string[]>
  /** Of what is finished, and of what is under way. */
  bytesWritten(): Promise<number>
  stop(): Promise<void>
}

/** Starts an empty one. */
export async function startStore(kind: 'directory' | 's3'): Promise<TestStore> {
  return kind === 'directory' ? directoryStore() : s3Store()
}

function directoryStore(): TestStore {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-store-'))
  const files = (): readonly string[] => readdirSync(path, { recursive: true, encoding: 'utf8' })
  return {
    url: `file://${path}`,
    env: {},
    keys: async () => files(),
    async bytesWritten() {
      return files().reduce((sum, name) => sum + (statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0), 0)
    },
    stop: async () => rmSync(path, { recursive: true, force: true }),
  }
}

/** The server of the driver's own tests, which checks what it is sent as AWS would. */
async function s3Store(): Promise<TestStore> {
  const server = await startS3({ bucket: 'backups' })
  const query = new URLSearchParams({ endpoint: server.url, region: 'eu-central-1', forcePathStyle: 'true' })
  const sizes = (): readonly number[] => [...server.objects.values()].map(({ size }) => size)
  return {
    url: `s3://${server.bucket}/holdfast?${query.toString()}`,
    env: { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' },
    keys: async () => [...server.objects.keys()],
    bytesWritten: async () => sizes().reduce((sum, size) => sum + size, 0),
    stop: () => server.close(),
  }
}
