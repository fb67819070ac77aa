// docs/start/benji.md from top to bottom: the images that it builds, the chart with its values, a PostgreSQL, a bucket, a Ceph, a
// claim that is backed up and comes back.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { clientsConf, MiB, readImage, removeImages, writeImage } from './support/ceph.ts'
import { createProject } from './support/cli.ts'
import { kitsNode } from './support/freezing.ts'
import { onHost, releaseOf } from './support/helm.ts'
import { apply, kubectl, run, waitFor } from './support/kubectl.ts'
import { freePort } from './support/mongo.ts'
import { images, useNamespace } from './support/namespace.ts'
import { readerOf, type Reader } from './support/page.ts'
import { execIn, podOf, podsOf, ready } from './support/pods.ts'
import { startOwnService, type S3Service } from './support/s3.ts'
import { useVolumes, type VolumeOfClaim } from './support/volumes.ts'

const page = 'docs/start/benji.md'
/** `benji`, on the page. */
const namespace = useNamespace('start')
/** `web`, on the page. */
const web = useNamespace('start-web')
const volumes = useVolumes(web)
const project = createProject()
/** The release is called so on the page. */
const { selector } = releaseOf(namespace, 'benji')
const restored = `rbd/${web}-restored`
let bucket: S3Service
let claim: VolumeOfClaim
let here: Record<string, string> = {}

const env = { HOLDFAST_E2E_DIR: process.env['HOLDFAST_E2E_DIR'], KUBECONFIG: process.env['KUBECONFIG'] }

const secret = (name: string, stringData: object): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  stringData,
})

/** What the reader has already. */
beforeAll(async () => {
  const port = await freePort()
  bucket = await startOwnService('volumes')
  const server = `exec setpriv --reuid=postgres --regid=postgres --init-groups postgres \
-D /var/lib/postgresql/data -c listen_addresses=127.0.0.1 -p ${port}`
  const container = { image: images.databases, command: ['sh', '-euc', server] }
  const storageClass = { metadata: { name: web }, provisioner: 'rbd.csi.ceph.com', volumeBindingMode: 'Immediate' }
  await apply(
    secret('ceph', { 'ceph.conf': clientsConf() }),
    secret('postgresql', { key: '', password: 'secret-of-benji' }),
    secret('benji-s3', { id: bucket.env.AWS_ACCESS_KEY_ID, key: bucket.env.AWS_SECRET_ACCESS_KEY }),
    { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', ...storageClass },
    podOf(namespace, 'postgresql', container, { hostNetwork: true }),
  )
  claim = await volumes.create('data', { labels: { tier: 'db' }, storageClass: web })
  // Nothing provisions here.
  await volumes.provide('data-restored', { storageClass: web })
  await writeImage(claim.image, { at: 4 * MiB, bytes: randomBytes(MiB) })
  await ready(namespace, 'postgresql')
  const sql = `CREATE ROLE benji LOGIN PASSWORD 'secret-of-benji'; CREATE DATABASE benji OWNER benji;\n`
  const psql = `PGPASSWORD=secret psql -v ON_ERROR_STOP=1 -h 127.0.0.1 -p ${port} -U shop shop`
  await waitFor('the database', async () => {
    const { code } = await execIn(namespace, 'postgresql', 'main', ['sh', '-euc', psql], sql)
    return code === 0
  })
  here = {
    '--namespace benji': `--namespace ${namespace}`,
    // Pods of this cluster reach the API over the host's network only, and wherever the agents look, it is elsewhere.
    '--values values.yaml': '--values values.yaml --values kit.yaml --wait --timeout 100s',
    'charts/holdfast': new URL('../charts/holdfast', import.meta.url).pathname,
    'postgresql:5432': `127.0.0.1:${port}`,
    'bucketName: volumes': `endpointUrl: '${bucket.endpoint}', bucketName: volumes`,
    '[web]': `[${web}]`,
    'web/data': `${web}/data`,
    'web data-restored': `${web} data-restored`,
    'image=rbd/restored': `image=${restored}`,
    // It would back up what other tests have, were it a quarter past.
    '15 * * * *': '15 0 1 1 *',
  }
}, 20 * 60_000)
afterAll(async () => {
  await run('helm', ['uninstall', 'benji', '--namespace', namespace, '--no-hooks'])
  await run('kubectl', ['delete', 'storageclass', web, '--ignore-not-found'])
  await removeImages([restored])
  await bucket?.stop()
  project.remove()
})

const reader = (more: object = {}): Reader => {
  return readerOf({ page, cwd: project.path, env, here: { ...here, ...more } })
}

/** In the pod of the release. */
async function inPod(block: string, more: object = {}): Promise<string> {
  const [pod] = await podsOf(namespace, selector)
  const shell = ['kubectl', '-n', namespace, 'exec', pod?.metadata.name ?? '', '-c', 'holdfast', '--', 'bash']
  return readerOf({ page, cwd: project.path, env, shell, here: { ...here, ...more } }).type(block)
}

test('the image, the values, a backup, and back again', async () => {
  const { write, type } = reader()
  await type('image')
  write()
  const { extraEnv } = parse(project.read('values.yaml')) as { readonly extraEnv: readonly object[] }
  const [repository, tag] = images.holdfast.split(':')
  const freeze = {
    image: { repository, tag },
    kubeletRoot: kitsNode.kubeletRoot,
    sysRoot: process.env['HOLDFAST_E2E_SYS'],
  }
  const kit = {
    ...onHost,
    extraEnv: [...extraEnv, ...onHost.extraEnv],
    benji: { freeze },
    probes: { readiness: { periodSeconds: 2 } },
  }
  project.write('kit.yaml', JSON.stringify(kit))
  await type('install')

  const said = await inPod('backup')
  expect(said).toContain(claim.claim)
  const pod = (await podsOf(namespace, selector))[0]
  const listed = await execIn(namespace, pod?.metadata.name ?? '', 'holdfast', ['benji', '-m', 'ls'])
  const [version] = (JSON.parse(listed.stdout) as { versions: { uid: string; snapshot: string; status: string }[] })
    .versions
  expect(version).toMatchObject({ volume: claim.volume, status: 'valid' })

  await inPod('restore', { VERSION: version?.uid })
  const content = await readImage(`${claim.image}@${version?.snapshot}`)
  for (const image of [restored, `rbd/${web}-data-restored`])
    expect((await readImage(image)).equals(content)).toBe(true)
  expect(await kubectl(['-n', web, 'get', 'pvc', 'data-restored'])).toContain('Bound')
}, 300_000)
