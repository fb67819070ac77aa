// What pages say of kubectl and helm, on a real cluster: as it stands there, and what is applied is there then.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createProject, type Project } from './support/cli.ts'
import { applicationOf, applyText, type Manifest } from './support/generated.ts'
import { getObject, kubectl, succeed } from './support/kubectl.ts'
import { useNamespace } from './support/namespace.ts'
import { kubeconfigIn, readerOf, type Reader } from './support/page.ts'

const namespace = useNamespace('pages')
const place = createProject()
const projects: Project[] = [place]
let kubeconfig = ''
beforeAll(async () => {
  kubeconfig = await kubeconfigIn(namespace, place.path)
})
afterAll(() => projects.forEach((project) => project.remove()))

const dump = { 'scripts/backups/10-dump': '#!/bin/sh\npg_dump shop -f shop.sql && save_artifact shop.sql shop.sql\n' }
/** Where a page names none, it is that of kubectl's context. */
const inNamespace = { '--namespace shop': `--namespace ${namespace}` }
const plan = `plans: { shop: { schedule: { cron: '0 3 * * *' }, use: [{ '@holdfast/plugin-scripts#scripts': { path: ./scripts } }] } }`

/** Somebody who administers the namespace. */
function reader(
  page: string,
  files: Readonly<Record<string, string>>,
  here = {},
): Reader & { readonly project: Project } {
  const project = createProject(files)
  projects.push(project)
  const env = {
    KUBECONFIG: kubeconfig,
    HOLDFAST_STATE_DIR: project.at('state'),
    HOLDFAST_E2E_DIR: process.env['HOLDFAST_E2E_DIR'],
  }
  return { ...readerOf({ page, cwd: project.path, env, here }), project }
}

/** An application to which a page adds something, without a pod. @returns what it has afterwards */
async function added(
  kind: 'Deployment' | 'StatefulSet',
  follow: () => Promise<unknown>,
): Promise<Manifest | undefined> {
  const application = applicationOf(kind, 'shop', namespace)
  const spec = application.spec?.template?.spec
  const volumes = [...(spec?.volumes ?? []), { name: 'backups', emptyDir: {} }]
  const template = { ...application.spec?.template, spec: { ...spec, volumes } }
  await applyText(JSON.stringify({ ...application, spec: { ...application.spec, template } }), ['--server-side'])
  await follow()
  const found = await getObject<Manifest>(kind, 'shop', namespace)
  await kubectl(['-n', namespace, 'delete', kind, 'shop', '--wait=false'])
  return found
}

const sidecar = (image: string, more: object = {}): object => ({
  spec: { template: { spec: { initContainers: [{ name: 'holdfast', image, ...more }] } } },
})

test('README.md: a sidecar', async () => {
  const { type } = reader('README.md', dump, inNamespace)
  const found = await added('Deployment', () => type('cluster'))
  expect(found).toMatchObject(sidecar('registry.example/holdfast'))
})

test('docs/generate.md: manifests, applied', async () => {
  const { type } = reader('docs/generate.md', { ...dump, 'holdfast.yaml': plan }, inNamespace)
  expect(await added('Deployment', () => type('apply'))).toMatchObject(sidecar('IMAGE'))
})

test('docs/mongodb.md: the connection string in a Secret', async () => {
  const { write, type, project } = reader('docs/mongodb.md', {}, inNamespace)
  write()
  project.write('holdfast.yaml', project.read('in-kubernetes/holdfast.yaml'))
  const found = await added('StatefulSet', async () => {
    await type('secret')
    const apply = ['apply', '-n', namespace, '--server-side', '--field-manager=holdfast', '--force-conflicts']
    await kubectl([...apply, '-f', project.at('sidecar.yaml')])
  })
  const env = [{ name: 'MONGODB_URI', valueFrom: { secretKeyRef: { name: 'shop-backup', key: 'MONGODB_URI' } } }]
  expect(found).toMatchObject(sidecar('registry.example/holdfast', { env: expect.arrayContaining(env) as object }))
})

test('docs/security.md: the rights, and whether they are there', async () => {
  const { type, project } = reader('docs/security.md', { ...dump, 'holdfast.yaml': plan }, inNamespace)
  await type('rights')
  expect(project.read('rbac.yaml')).toMatch(/# .*\n *- apiGroups/)
})

test('the chart: installed, given a token, and as the sidecar of an application', async () => {
  const chart = new URL('../charts/holdfast', import.meta.url).pathname
  const here = { ...inNamespace, 'charts/holdfast': chart }
  const readme = reader('charts/holdfast/README.md', {}, here)
  readme.write()
  await readme.type('install')
  await reader('docs/api.md', {}, here).type('token')
  const { data } = (await getObject<{ data: { token: string } }>('secret', 'shop-api', namespace)) ?? {}
  expect(Buffer.from(data?.token ?? '', 'base64').toString()).toMatch(/^[0-9a-f]{64}$/)
  const deployed = JSON.stringify(await getObject('deployment', 'shop-holdfast', namespace))
  expect(deployed).toContain('"secretName":"shop-api"')

  const found = await added('Deployment', async () => {
    const values = ['--values', readme.project.at('sidecar.yaml')]
    await succeed('helm', ['upgrade', 'shop', chart, '--namespace', namespace, ...values])
    await readme.type('sidecar')
  })
  expect(found).toMatchObject(sidecar('registry.example/holdfast:1.0.0'))
})
