// mongodump in the database's own container, by a sidecar, on a real kubelet: the archive leaves over the API server, the
// connection string gets in beside it, and both come back.
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apply, succeed, waitFor } from './support/kubectl.ts'
import { contents, everyType, freePort, installMongo } from './support/mongo.ts'
import { useNamespace } from './support/namespace.ts'
import { execIn, ready } from './support/pods.ts'
import { account, configMap, engineRules, rule, sidecarTemplate } from './support/sidecar.ts'

const namespace = useNamespace('mongodump')
const image = 'holdfast.local/mongodb:1'
const count = 5000
let client: MongoClient

beforeAll(async () => {
  await installMongo()
  await buildImage()
  const port = await freePort()
  const uri = `mongodb://127.0.0.1:${port}/?appName=canary-6d1c`
  const template = sidecarTemplate({
    config: 'plans',
    env: [{ name: 'MONGODB_URI', value: uri }],
    containers: [
      {
        name: 'mongodb',
        image,
        imagePullPolicy: 'Never',
        // Pods of this cluster share the host's ports.
        command: ['/bin/mongoserver', `127.0.0.1:${port}`, '/data'],
      },
    ],
  })
  const yaml = `storage: file:///var/lib/holdfast/store
plans:
  shop:
    use: [{ '@holdfast/plugin-mongodump#mongodump': { uri: { env: MONGODB_URI }, database: shop, where: { container: mongodb } } }]
`
  await apply(
    ...account(namespace, [...engineRules, rule('', 'pods/exec', 'create', 'get')]),
    configMap(namespace, 'plans', { 'holdfast.yaml': yaml }),
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'shop', namespace, labels: { app: 'shop' } },
      spec: template.spec,
    },
  )
  await ready(namespace, 'shop')
  client = new MongoClient(uri, { directConnection: true, serverSelectionTimeoutMS: 1000 })
  await waitFor('the server to answer', () =>
    client
      .db('admin')
      .command({ ping: 1 })
      .catch(() => undefined),
  )
  await client
    .db('shop')
    .collection('orders')
    .insertMany(Array.from({ length: count }, (_, n) => everyType(n)))
}, 300_000)
afterAll(() => client?.close())

async function buildImage(): Promise<void> {
  const kit = process.env['HOLDFAST_E2E_DIR'] ?? ''
  const context = join(kit, 'mongodb-image')
  mkdirSync(context, { recursive: true })
  for (const name of ['mongoserver', 'mongodump', 'mongorestore']) cpSync(join(kit, 'bin', name), join(context, name))
  const busybox = (await succeed('sh', ['-c', 'command -v busybox'])).trim()
  cpSync(busybox, join(context, 'busybox'))
  const here = import.meta.dirname
  await succeed(join(here, 'kit/image.sh'), ['build', join(here, 'images/mongodb.Dockerfile'), context, image])
}

const holdfast = (...args: readonly string[]): ReturnType<typeof execIn> =>
  execIn(namespace, 'shop', 'holdfast', ['holdfast', ...args])

test('a dump from the database’s container, its counts over the network of the pod, and back under another name', async () => {
  const { code, stdout, stderr } = await holdfast('run', 'shop', '--json')
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded', targets: [{ verification: 'verified' }] })
  const [artifact] = JSON.parse((await holdfast('list', '--json')).stdout) as readonly { meta: { mongodump: object } }[]
  expect(artifact?.meta.mongodump).toMatchObject({
    tool: { version: '100.10.0', ran: 'in the container mongodb of shop' },
    server: { kind: 'standalone', seen: 'driver' },
    archive: { documents: count },
    counts: { compared: 1, differences: [] },
  })
  const restored = await holdfast('restore', '--plan', 'shop', '--to', 'database=copy')
  expect({ code: restored.code, stderr: restored.stderr }).toMatchObject({ code: 0 })
  const [original, copy] = await Promise.all(['shop', 'copy'].map((name) => contents({ client }, name, 'orders')))
  expect(copy?.size).toBe(count)
  expect([...(original ?? [])].filter(([key, digest]) => copy?.get(key) !== digest)).toEqual([])
})

test('fault F54: while it dumps, nobody in the container sees the connection string in a list of processes or in a file', async () => {
  const look = `i=0; while [ $i -lt 60 ]; do cat /proc/[0-9]*/cmdline | tr '\\0' ' '; find /tmp /data -newer /bin/busybox -name '*.yaml' | xargs -r cat; i=$((i + 1)); sleep 0.05; done`
  const [seen, ran] = await Promise.all([
    execIn(namespace, 'shop', 'mongodb', ['/bin/sh', '-c', look]),
    holdfast('run', 'shop', '--json'),
  ])
  expect(ran.code).toBe(0)
  expect(seen.stdout).toContain('mongodump --config /dev/fd/3 --archive --db=shop')
  expect(seen.stdout).not.toContain('canary')
})
