// What people bring from sidefridge runs as it is: one Deployment, two ConfigMaps of scripts, a shared directory, three
// variables. Edited are only image names, the version of RBAC, and what the kit's cluster needs to reach the API.
import { beforeAll, describe, expect, test } from 'vitest'
import { apply, kubectl, waitFor } from './support/kubectl.ts'
import { images, reachesApi, useNamespace } from './support/namespace.ts'
import { execIn, logsOf, podsOf, ready } from './support/pods.ts'

const namespace = useNamespace('drop-in')
let pod = ''

const dump = `#!/bin/bash
set -e
echo "rows of the shop" > dump.txt
tar -czf dump.tar.gz dump.txt
cp dump.tar.gz /shared/dump.tar.gz
pwd > /shared/where
`
const remote = `#!/bin/bash
set -e
kubectlexec /opt/app/export --backup-path /shared
test "$(cat /shared/export.txt)" = "exported by app"
cp /shared/export.txt /shared/export.copy
`
const program = `#!/bin/sh
[ "$1" = --backup-path ] || exit 64
[ ! -e /shared/broken ] || { echo "the disk is broken" >&2; exit 3; }
echo "exported by $(hostname >/dev/null; echo app)" > "$2/export.txt"
`

function configMap(name: string, data: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }
}

function mount(name: string, files: readonly string[], defaultMode = 0o744): object {
  return {
    name,
    configMap: { name, defaultMode, items: files.map((key) => ({ key, path: key })) },
  }
}

/** Everything that sidefridge's generator granted, with the version of RBAC that is still served. */
const accounts = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'shop-full-access-service-account', namespace } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'shop-full-access-role', namespace },
    rules: [
      { apiGroups: ['', 'extensions', 'apps'], resources: ['*'], verbs: ['*'] },
      { apiGroups: ['batch'], resources: ['jobs', 'cronjobs'], verbs: ['*'] },
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'shop-full-access-role-binding', namespace },
    subjects: [{ kind: 'ServiceAccount', name: 'shop-full-access-service-account', namespace }],
    roleRef: { kind: 'Role', name: 'shop-full-access-role', apiGroup: 'rbac.authorization.k8s.io' },
  },
]

const application = {
  name: 'shop',
  image: images.busybox,
  command: ['/bin/sleep', 'infinity'],
  volumeMounts: [
    { name: 'shared', mountPath: '/shared' },
    { name: 'app', mountPath: '/opt/app' },
  ],
}

beforeAll(async () => {
  await apply(
    ...accounts,
    configMap('shop-install-dependencies', {
      '1_packages.sh': '#!/bin/sh\napk add --no-cache mysql-client\n',
      '2_more.sh': '#!/bin/sh\necho installed > /tmp/installed\n',
    }),
    configMap('shop-backups', { '1_dump.sh': dump, '2_export.sh': remote }),
    configMap('app', { export: program }),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop', namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'shop' } },
        template: {
          metadata: { labels: { app: 'shop' } },
          spec: {
            hostNetwork: reachesApi.hostNetwork,
            serviceAccountName: 'shop-full-access-service-account',
            containers: [
              application,
              {
                name: 'sidefridge',
                image: images.dropIn,
                env: [
                  ...reachesApi.env,
                  { name: 'CRON_BACKUP_SCHEDULE', value: '*/1 * * * *' },
                  { name: 'TARGET_CONTAINER', value: 'shop' },
                  { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                ],
                volumeMounts: [
                  { name: 'shared', mountPath: '/shared' },
                  { name: 'shop-install-dependencies', mountPath: '/scripts/install_dependencies' },
                  { name: 'shop-backups', mountPath: '/scripts/backups' },
                ],
              },
            ],
            volumes: [
              { name: 'shared', emptyDir: {} },
              mount('app', ['export'], 0o755),
              mount('shop-install-dependencies', ['1_packages.sh', '2_more.sh']),
              mount('shop-backups', ['1_dump.sh', '2_export.sh']),
            ],
          },
        },
      },
    },
  )
  pod = await waitFor('the pod', async () => (await podsOf(namespace, 'app=shop'))[0]?.metadata.name)
  await ready(namespace, pod)
})

async function shared(file: string, from = pod): Promise<string | undefined> {
  const { code, stdout } = await execIn(namespace, from, 'shop', ['cat', `/shared/${file}`])
  return code === 0 ? stdout : undefined
}

test('dependencies are installed, then the schedule runs both scripts, one of them in the application', async () => {
  const copy = await waitFor('the first scheduled run', () => shared('export.copy'), 100)
  expect(copy).toBe('exported by app\n')
  const listing = await execIn(namespace, pod, 'shop', ['tar', '-tzf', '/shared/dump.tar.gz'])
  expect(listing.stdout).toBe('dump.txt\n')
  expect((await execIn(namespace, pod, 'sidefridge', ['cat', '/tmp/apk.log'])).stdout).toBe(
    'apk add --no-cache mysql-client\n',
  )
  const history = await execIn(namespace, pod, 'sidefridge', ['holdfast', 'history', '--json'])
  const runs = JSON.parse(history.stdout) as { plan: string; status: string; trigger: string }[]
  expect(runs).toContainEqual(expect.objectContaining({ plan: 'scripts', status: 'succeeded', trigger: 'schedule' }))
})

test('sidefridge F3: what fails in the application fails the run, with its exit code and its words', async () => {
  await execIn(namespace, pod, 'shop', ['touch', '/shared/broken'])
  try {
    const run = await execIn(namespace, pod, 'sidefridge', ['fridge', '-r'])
    expect(run.code).toBe(1)
    expect(run.stdout + run.stderr).toContain("'/scripts/backups/2_export.sh' finished with exit code '3'")
    expect(run.stdout + run.stderr).toContain('the disk is broken')
  } finally {
    await execIn(namespace, pod, 'shop', ['rm', '/shared/broken'])
  }
})

test('without a state volume it says what that means, and keeps undos in the API instead', async () => {
  const logs = await logsOf(namespace, pod, 'sidefridge')
  expect(logs).toContain('ready')
  expect(
    await kubectl([
      '-n',
      namespace,
      'get',
      'pods',
      '-o',
      'jsonpath={.items[*].status.containerStatuses[*].restartCount}',
    ]),
  ).toBe('0 0')
})

/** The two scripts, as hooks. */
const hooks = `
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { defineConfig, defineHook } from '@holdfast/sdk'

const application = { pod: process.env.POD_NAME, container: process.env.TARGET_CONTAINER }

const dump = defineHook('backups', async ({ workspace, exec, createArtifact }) => {
  const directory = await workspace()
  await writeFile(directory + '/dump.txt', 'rows of the shop\\n')
  await createArtifact('dump.tar.gz', (stdout) => exec.local({ command: ['tar', '-czf', '-', 'dump.txt'], cwd: directory, stdout }))
}, { name: 'dump' })

const remote = defineHook('backups', async ({ exec, createArtifact }) => {
  await exec.container(application, { command: ['/opt/app/export', '--backup-path', '/shared'] })
  const exported = await readFile('/shared/export.txt')
  await createArtifact('export.txt', (sink) => sink.write(exported))
}, {
  name: 'export',
  permissions: [
    { apiGroup: '', resource: 'pods', verbs: ['get'], scope: 'namespace', why: 'the application is looked at first' },
    { apiGroup: '', resource: 'pods/exec', verbs: ['create', 'get'], scope: 'namespace', why: 'its program exports' },
  ],
})

export default defineConfig({ plans: [{ name: 'shop', schedule: { cron: '*/1 * * * *' }, use: [dump, remote] }] })
`

describe('the same as TypeScript hooks', () => {
  let typed = ''

  beforeAll(async () => {
    await apply(configMap('typed', { 'holdfast.config.ts': hooks }), {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'typed', namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'typed' } },
        template: {
          metadata: { labels: { app: 'typed' } },
          spec: {
            hostNetwork: reachesApi.hostNetwork,
            serviceAccountName: 'shop-full-access-service-account',
            containers: [
              application,
              {
                name: 'holdfast',
                image: images.holdfast,
                env: [
                  ...reachesApi.env,
                  { name: 'TARGET_CONTAINER', value: 'shop' },
                  { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                ],
                volumeMounts: [
                  { name: 'shared', mountPath: '/shared' },
                  { name: 'typed', mountPath: '/etc/holdfast' },
                ],
              },
            ],
            volumes: [
              { name: 'shared', emptyDir: {} },
              mount('app', ['export'], 0o755),
              { name: 'typed', configMap: { name: 'typed' } },
            ],
          },
        },
      },
    })
    typed = await waitFor('the pod', async () => (await podsOf(namespace, 'app=typed'))[0]?.metadata.name)
    await ready(namespace, typed)
  })

  test('both run, one of them in the application, and both backups can be restored', async () => {
    const inside = (...command: readonly string[]) => execIn(namespace, typed, 'holdfast', command)
    const run = await inside('holdfast', 'run', 'shop', '--json')
    expect({ code: run.code, stderr: run.code === 0 ? '' : run.stderr }).toEqual({ code: 0, stderr: '' })
    expect(await shared('export.txt', typed)).toBe('exported by app\n')
    const restored = await inside(
      '/bin/sh',
      '-c',
      'holdfast restore --target dump --to /tmp/dump.tgz >/dev/null && tar -xOzf /tmp/dump.tgz dump.txt',
    )
    expect(restored).toMatchObject({ code: 0, stdout: 'rows of the shop\n' })
    const exported = await inside(
      '/bin/sh',
      '-c',
      'holdfast restore --target export --to /tmp/export.txt >/dev/null && cat /tmp/export.txt',
    )
    expect(exported).toMatchObject({ code: 0, stdout: 'exported by app\n' })
  })
})
