// `--storage s3://…`: nothing is installed for it, and nothing of it is loaded elsewhere.
import { readFileSync, rmSync } from 'node:fs'
import { startFauxqs, type FauxqsServer } from 'fauxqs'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { shop, workspace } from './support/workspace.ts'

let server: FauxqsServer
let buckets = 0
let store: string

beforeAll(async () => {
  server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false })
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server.stop()
})
beforeEach(() => {
  const bucket = `backups-${++buckets}`
  server.createBucket(bucket)
  store = `s3://${bucket}/shop?endpoint=http://127.0.0.1:${server.port}`
})

test('a run, and on another machine list, verify and restore from the bucket alone', async () => {
  const here = shop()
  here.script('backups/10-dump', `printf '%s' 'all orders' | save_artifact orders.sql`)
  const { code, stderr } = await here.run(['run', 'shop', '--storage', store])
  expect(stderr).not.toContain('"level":"error"')
  expect(code).toBe(0)
  rmSync(here.state, { recursive: true })

  const there = workspace()
  const listed = await there.run(['list', '--storage', store, '--json'])
  expect(JSON.parse(listed.stdout)).toEqual([expect.objectContaining({ name: 'orders.sql', size: 10, state: 'valid' })])
  expect((await there.run(['verify', '--all', '--storage', store])).code).toBe(0)
  const restored = await there.run(['restore', '--plan', 'shop', '--to', 'out/', '--storage', store])
  expect(restored.code).toBe(0)
  expect(readFileSync(there.at('out/orders.sql'), 'utf8')).toBe('all orders')
})

test('in YAML it is a module and its options', async () => {
  const here = shop()
  const { hostname, searchParams } = new URL(store)
  here.script('backups/10-dump', `printf '%s' 'all orders' | save_artifact orders.sql`)
  const options = JSON.stringify({ bucket: hostname, prefix: 'yaml', endpoint: searchParams.get('endpoint') })
  here.write(
    'holdfast.yaml',
    `storage: { '@holdfast/storage-s3#s3': ${options} }\n${readFileSync(here.at('holdfast.yaml'), 'utf8')}`,
  )
  expect((await here.run(['run', 'shop'])).code).toBe(0)
  const listed = await here.run(['list', '--json'])
  expect(JSON.parse(listed.stdout)).toHaveLength(1)
})

test.each([
  ['an option that is mistyped', '&regoin=eu-west-1', 'option regoin', 'forcePathStyle'],
  ['an option without sense', '&partSize=1MiB', 'not from 5MiB to 5GiB', 'Nothing was read or written'],
])('%s is one clear error', async (_what, more, message, hint) => {
  const { code, stdout, stderr } = await workspace().run(['list', '--storage', store + more])
  expect(code).not.toBe(0)
  expect(stdout + stderr).toContain(message)
  expect(stdout + stderr).toContain(hint)
  expect(stdout + stderr).not.toMatch(/\n {4}at /)
})

test('a bucket that is not there is one clear error', async () => {
  const { code, stdout, stderr } = await workspace().run(['list', '--storage', store.replace('backups-', 'backup-')])
  expect(code).toBe(1)
  expect(stdout + stderr).toContain('there is no bucket "backup-')
  expect(stdout + stderr).toContain('STORAGE_BUCKET_MISSING')
  expect(stdout + stderr).not.toMatch(/\n {4}at /)
})
