// Backups of volumes through Benji: what the chart makes for them, and the faults of Benji's own chart (H…).
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { freezeAgent, freezeAgentPod } from '../../packages/plugin-benji/src/freeze/agent-pod.ts'
import { permissionsFor } from '../../packages/plugin-benji/src/discovery/permissions.ts'
import { parseCrontab } from '../../packages/runtime/src/index.ts'
import { notes, refusal, render, type Manifest, type Rendered } from './support/helm.ts'
import { benji, benjiEverything, config } from './support/values.ts'

const decode = (text: string): string => Buffer.from(text, 'base64').toString()
const podOf = ({ spec }: Manifest): Manifest['spec'] => (spec.jobTemplate?.spec ?? spec).template.spec
const containerOf = (chart: Rendered): Manifest['spec'] => podOf(chart.one('Deployment')).containers[0]

interface Variable {
  readonly name: string
  readonly value?: string
}

function variable(container: Manifest['spec'], name: string): string | undefined {
  return (container.env as readonly Variable[]).find((each) => each.name === name)?.value
}

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** `verb resource` of all rules. */
function grants(rules: readonly Rule[]): readonly string[] {
  return rules
    .flatMap(({ resources, verbs }) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)))
    .toSorted()
}

const clusterGrants = async (values: object): Promise<readonly string[]> =>
  grants((await render({ benji: { enabled: true, ...values } })).one('ClusterRole').rules as readonly Rule[])

const reading = (...resources: readonly string[]): readonly string[] =>
  resources.flatMap((resource) => [`get ${resource}`, `list ${resource}`, `watch ${resource}`])

test('without it, nothing of it is there', async () => {
  const { text } = await render({ config, benji: { crontab: 'ignored', restore: { namespaces: ['web'] } } })
  expect(text).not.toMatch(/benji/i)
})

test('fault H1: versions are those of the release, unless somebody says whose', async () => {
  expect(variable(containerOf(await render({ benji })), 'BENJI_INSTANCE')).toBe('shop')
  expect(variable(containerOf(await render({ benji }, { release: 'web' })), 'BENJI_INSTANCE')).toBe('web')
  const given = containerOf(await render({ benji: { ...benji, instance: 'benji-k8s', logLevel: 'DEBUG' } }))
  expect(variable(given, 'BENJI_INSTANCE')).toBe('benji-k8s')
  expect(variable(given, 'BENJI_LOG_LEVEL')).toBe('DEBUG')
  // Any other variable can be given, and replaces ours.
  const extra = {
    extraEnv: [
      { name: 'CEPH_ARGS', value: '--id benji' },
      { name: 'BENJI_INSTANCE', value: 'mine' },
    ],
  }
  const container = containerOf(await render({ benji, ...extra }))
  expect(variable(container, 'CEPH_ARGS')).toBe('--id benji')
  expect(variable(container, 'BENJI_INSTANCE')).toBe('mine')
})

test('fault H2: the agent is what the plugin says, with resources and a place of its own, and no token', async () => {
  const { spec, metadata } = (await render({ benji })).one('DaemonSet')
  const image = containerOf(await render({ benji })).image as string
  const expected = freezeAgentPod({ image })
  const [container] = spec.template.spec.containers
  expect({ ...spec.template.spec, containers: [{ ...container, imagePullPolicy: undefined }] }).toEqual(expected)
  expect(metadata.labels).toMatchObject(freezeAgent.labels)
  expect(spec.template.metadata.labels).toMatchObject(freezeAgent.labels)
  expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels)

  const own = (await render(benjiEverything)).one('DaemonSet').spec.template
  const { freeze } = benjiEverything.benji
  expect(own.spec).toMatchObject({
    automountServiceAccountToken: false,
    hostPID: true,
    terminationGracePeriodSeconds: 90,
    nodeSelector: freeze.nodeSelector,
    tolerations: freeze.tolerations,
    priorityClassName: 'system-node-critical',
    containers: [
      {
        image: 'registry.example/holdfast:1.2.3',
        resources: freeze.resources,
        volumeMounts: [
          { name: 'kubelet', mountPath: '/var/lib/k0s/kubelet', mountPropagation: 'HostToContainer' },
          { name: 'sys', mountPath: '/host/sys', readOnly: true },
          { name: 'state' },
        ],
      },
    ],
    volumes: [
      { name: 'kubelet', hostPath: { path: '/var/lib/k0s/kubelet' } },
      { name: 'sys', hostPath: { path: '/host/sys' } },
      { name: 'state' },
    ],
  })
  expect(own.spec).not.toHaveProperty('serviceAccountName')
  expect(own.metadata.annotations).toEqual(freeze.podAnnotations)
})

test('lines of a crontab know where agents see the kubelet’s directory and sysfs', async () => {
  const container = containerOf(await render(benjiEverything))
  expect(variable(container, 'HOLDFAST_KUBELET_ROOT')).toBe('/var/lib/k0s/kubelet')
  expect(variable(container, 'HOLDFAST_SYS_ROOT')).toBe('/host/sys')
})

test('agents are none of the pods that are counted, scraped and waited for', async () => {
  const chart = await render({ benji })
  const selector = chart.one('Deployment').spec.selector.matchLabels as Readonly<Record<string, string>>
  const { labels } = chart.one('DaemonSet').spec.template.metadata as Manifest['metadata']
  expect(Object.entries(selector).every(([name, value]) => labels?.[name] === value)).toBe(false)
})

test('fault H3: cluster-wide it may read what it backs up and say how that went, and nothing else', async () => {
  const claims = [...reading('persistentvolumeclaims', 'persistentvolumes'), 'create events']
  expect(await clusterGrants({ freeze: { enabled: false } })).toEqual(claims.toSorted())
  expect(await clusterGrants({})).toEqual([...claims, ...reading('pods')].toSorted())
  const restoring = { freeze: { enabled: false }, restore: { namespaces: ['web'] } }
  expect(await clusterGrants(restoring)).toEqual([...claims, ...reading('pods', 'storageclasses')].toSorted())
  // It is all that the plugin asks for.
  for (const { resource, verbs, scope } of permissionsFor({ all: true })) {
    if (scope !== 'cluster') continue
    expect(await clusterGrants({})).toEqual(expect.arrayContaining(verbs.map((verb) => `${verb} ${resource}`)))
  }
})

test('fault H3: commands are run in the namespace of the release only, and claims made where somebody says so', async () => {
  const chart = await render({ benji: { ...benji, restore: { namespaces: ['web', 'shop'] } } })
  const roles = chart.all('Role').map(({ metadata, rules }) => [metadata.namespace, metadata.name, grants(rules)])
  const ofClaims = ['create persistentvolumeclaims', 'delete persistentvolumeclaims']
  expect(roles).toContainEqual(['web', 'shop-shop-holdfast-restore', ofClaims])
  expect(roles).toContainEqual(['shop', 'shop-shop-holdfast-restore', ofClaims])
  const own = grants(chart.one('Role', 'shop-holdfast').rules)
  expect(own).toEqual(
    expect.arrayContaining(['create pods/exec', 'get pods/exec', 'create configmaps', 'update leases']),
  )
  for (const { subjects } of [...chart.all('RoleBinding'), ...chart.all('ClusterRoleBinding')]) {
    expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'shop-holdfast', namespace: 'shop' }])
  }
  const frozen = await render({ benji: { ...benji, freeze: { enabled: false } } })
  expect(frozen.all('DaemonSet')).toEqual([])
  expect(grants(frozen.one('Role').rules)).not.toContain('create pods/exec')
})

test.for([
  ['deployment', { benji: { enabled: true, pushgateway: { enabled: true } } }],
  [
    'cronjob',
    { mode: 'cronjob', benji: { enabled: true, crontab: [{ name: 'a', schedule: '@daily', command: 'true' }] } },
  ],
] as const)('fault H4: mode %s: only the agent is privileged', async ([, values]) => {
  const { manifests } = await render(values)
  const pods = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'CronJob').map(podOf)
  expect(pods).toHaveLength(1)
  for (const { securityContext, initContainers, containers } of pods) {
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    expect(initContainers).toHaveLength(1)
    for (const container of [...initContainers, ...containers] as readonly Manifest['spec'][]) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
    }
  }
  expect(JSON.stringify(pods)).not.toMatch(/hostPath|privileged/)
})

test('fault H5: each pod makes its database first, in the state, and /tmp is refused', async () => {
  const { initContainers, containers, volumes } = podOf((await render({ benji })).one('Deployment'))
  expect(initContainers).toMatchObject([
    { name: 'prepare-database', args: ['/usr/local/share/holdfast/benji/prepare-database', '/var/lib/holdfast/benji'] },
  ])
  expect(initContainers[0].volumeMounts).toEqual(containers[0].volumeMounts)
  expect(volumes).toContainEqual({ name: 'holdfast-state', emptyDir: {} })
  const secret = (await render({ benji })).one('Secret').data['benji.yaml'] as string
  expect(parse(decode(secret))).toMatchObject({ databaseEngine: 'sqlite:////var/lib/holdfast/benji/benji.sqlite' })
  const temporary = { configuration: { databaseEngine: 'sqlite:////tmp/benji.sqlite' } }
  expect(await refusal({ benji: { ...benji, ...temporary } })).toContain('is in /tmp, which each pod has for itself')
  const unprepared = await render({ benji: { ...benji, prepareDatabase: false } })
  expect(podOf(unprepared.one('Deployment'))).not.toHaveProperty('initContainers')
})

const crontab = [{ name: 'volumes', schedule: '15 * * * *', command: 'benji-backup-pvc --all-namespaces' }]

test('fault H5: the notes warn of a database that goes with the pod', async () => {
  const persistent = { state: { persistence: { enabled: true } } }
  const postgresql = { configuration: { databaseEngine: 'postgresql://benji@postgresql/benji' } }
  expect(await notes({ benji })).toContain("WARNING: Benji's database is in the state directory, which goes")
  expect(await notes({ mode: 'cronjob', benji: { ...benji, crontab } })).toContain(
    "WARNING: Benji's database is in the state directory, which each pod has for itself",
  )
  expect(await notes({ benji, ...persistent })).not.toContain('WARNING')
  expect(await notes({ benji: { ...benji, ...postgresql } })).not.toContain('WARNING')
  expect(await notes({ benji: { ...benji, existingSecret: 'mine' } })).not.toContain('WARNING')
  const elsewhere = { extraVolumeMounts: [{ name: 'mine', mountPath: '/var/lib/holdfast/' }] }
  expect(await notes({ benji, ...elsewhere })).not.toContain('WARNING')
})

test('fault H8: the time zone comes from the image, not from the node', async () => {
  const chart = await render({ benji: { ...benji, freeze: { enabled: false } }, timeZone: 'Europe/Berlin' })
  expect(variable(containerOf(chart), 'TZ')).toBe('Europe/Berlin')
  expect(chart.text).not.toContain('hostPath')
})

test('fault H9: images have a version, and are not fetched each time', async () => {
  const { text } = await render({ benji: { ...benji, pushgateway: { enabled: true } } })
  const images = [...text.matchAll(/^ *image: "?([^"\n]*)"?$/gm)].map(([, image = '']) => image)
  expect(new Set(images.map((image) => image.replace(/:.*/, '')))).toEqual(new Set(['benji-k8s', 'prom/pushgateway']))
  for (const image of images) expect(image).toMatch(/:v?\d+\.\d+\.\d+$/)
  expect(text.match(/imagePullPolicy: (?!IfNotPresent)/)).toBeNull()
  const digest = `sha256:${'0'.repeat(64)}`
  const pinned = await render({ benji: { ...benji, image: { repository: 'r.example/b', digest } } })
  expect(containerOf(pinned).image).toBe(`r.example/b@${digest}`)
})

test('fault H9: what may be secret is in Secrets, and nowhere else', async () => {
  const configuration = { databaseEngine: 'postgresql://benji:hunter2@db/benji', blockSize: 4_194_304 }
  const ceph = { files: { 'ceph.conf': '[global]\n', 'ceph.client.admin.keyring': 'key = hunter2\n' } }
  const chart = await render({ benji: { ...benji, configuration, ceph } })
  const others = chart.manifests.filter(({ kind }) => kind !== 'Secret')
  expect(JSON.stringify(others)).not.toContain('hunter2')
  const { data } = chart.one('Secret', 'shop-holdfast-benji')
  // Helm keeps numbers as floating point; Benji takes whole ones.
  expect(decode(data['benji.yaml'])).toMatch(/^blockSize: 4194304$/m)
  expect(parse(decode(data['benji.yaml']))).toMatchObject({ configurationVersion: '1', ...configuration })
  expect(decode(chart.one('Secret', 'shop-holdfast-ceph').data['ceph.client.admin.keyring'])).toBe('key = hunter2\n')
  const { volumes } = podOf(chart.one('Deployment'))
  expect(volumes).toContainEqual({ name: 'holdfast-ceph', secret: { secretName: 'shop-holdfast-ceph' } })

  const mine = await render({ benji: { ...benji, existingSecret: 'mine', ceph: { existingSecret: 'ceph' } } })
  expect(mine.all('Secret')).toEqual([])
  expect(podOf(mine.one('Deployment')).volumes).toContainEqual({
    name: 'holdfast-benji',
    projected: { sources: [{ secret: { name: 'mine' } }, { configMap: { name: 'shop-holdfast-crontab' } }] },
  })
  expect(podOf(mine.one('Deployment')).volumes).toContainEqual({
    name: 'holdfast-ceph',
    secret: { secretName: 'ceph' },
  })
})

test('fault H10: no blank lines where nothing was said, nor where everything was', async () => {
  for (const values of [{ benji }, benjiEverything, { mode: 'cronjob', benji: { ...benji, crontab } }] as const) {
    const { text } = await render(values)
    for (const document of text.split(/^---$/m)) expect(document.trim()).not.toMatch(/\n[ \t]*\n|[ \t]$/m)
  }
})

test('fault H11: a Pushgateway is in the pod, and goes with it', async () => {
  const chart = await render({ benji: { ...benji, pushgateway: { enabled: true, port: 9191 } } })
  const { metadata, spec } = chart.one('Deployment').spec.template
  expect(metadata.annotations).toEqual({ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9191' })
  expect(spec.containers).toMatchObject([
    { name: 'holdfast' },
    {
      name: 'pushgateway',
      args: ['--web.listen-address=:9191'],
      livenessProbe: { httpGet: { port: 9191 } },
      readinessProbe: { httpGet: { port: 9191 } },
    },
  ])
  expect(variable(spec.containers[0], 'PROM_PUSH_GATEWAY')).toBe('127.0.0.1:9191')
  expect(chart.all('Service')).toEqual([])
  // With a configuration of our own, it gets what we count as well.
  const counted = await render({ config, benji: { enabled: true, pushgateway: { enabled: true } } })
  expect(parse(counted.one('ConfigMap').data['holdfast.yaml'])).toMatchObject({
    metrics: { pushgateway: 'http://127.0.0.1:9091' },
  })
  // Without one, one of others is used.
  const theirs = await render({ benji, metrics: { pushgateway: 'http://pushgateway:9091' } })
  expect(variable(containerOf(theirs), 'PROM_PUSH_GATEWAY')).toBe('pushgateway:9091')
  expect(variable(containerOf(await render({ benji })), 'PROM_PUSH_GATEWAY')).toBeUndefined()
})

const systemCrontab = `PROM_PUSH_GATEWAY=:9191
15  * * * * root benji-backup-pvc --all-namespaces -l 'tier in (db,queue)'
`

test('a crontab is mounted where Benji looks for it, as it is', async () => {
  const chart = await render({ benji: { ...benji, crontab: systemCrontab } })
  expect(chart.one('ConfigMap').data['crontab']).toBe(systemCrontab)
  expect(variable(containerOf(chart), 'HOLDFAST_CONFIG')).toBe('/benji/etc/crontab')
  const { containers } = podOf(chart.one('Deployment'))
  expect(containers[0].volumeMounts).toContainEqual({ mountPath: '/benji/etc', name: 'holdfast-benji', readOnly: true })
})

test("a list of Benji's chart is one, word by word", async () => {
  const list = [
    { name: 'volumes', schedule: '*/10 * * * *', command: ['benji-backup-pvc', '-l', 'tier in (db,queue)'] },
    { name: 'odd', schedule: '@daily', command: ['echo', "it's", '5%', '$HOME', ''] },
    { name: 'text', schedule: '0 4 * * *', command: 'date +\\%F | logger' },
  ]
  const chart = await render({ benji: { ...benji, crontab: list } })
  const { entries, warnings } = parseCrontab(chart.one('ConfigMap').data['crontab'] as string, 'crontab', {
    user: 'holdfast',
    environment: {},
  })
  expect(warnings).toEqual([])
  expect(entries.map(({ planName, schedule, command }) => [planName, schedule, command])).toEqual([
    ['volumes', '*/10 * * * *', "benji-backup-pvc -l 'tier in (db,queue)'"],
    ['odd', '@daily', String.raw`echo 'it'\''s' '5%' '$HOME' ''`],
    ['text', '0 4 * * *', 'date +%F | logger'],
  ])
  const jobs = await render({ mode: 'cronjob', benji: { ...benji, crontab: list } })
  expect(jobs.all('CronJob').map((job) => [job.spec.schedule, podOf(job).containers[0].args])).toEqual(
    expect.arrayContaining([
      ['*/10 * * * *', ['holdfast', 'run', 'volumes']],
      ['@daily', ['holdfast', 'run', 'odd']],
    ]),
  )
})

test('without plans there is a daemon to run commands in, and the notes say so', async () => {
  const chart = await render({ benji: { enabled: true } })
  expect(chart.one('ConfigMap').data['crontab']).toBe('')
  expect(variable(containerOf(chart), 'HOLDFAST_CONFIG')).toBe('/benji/etc/crontab')
  expect(await notes({ benji: { enabled: true } })).toContain('There are no plans yet')
  expect(await notes({ benji })).not.toContain('There are no plans yet')
})

test('plans of config do as well', async () => {
  const plans = { volumes: { use: [{ '@holdfast/plugin-benji#benjiBackup': { all: true } }] } }
  const chart = await render({ config: { plans }, benji: { enabled: true } })
  expect(variable(containerOf(chart), 'HOLDFAST_CONFIG')).toBe('/etc/holdfast/holdfast.yaml')
  expect(podOf(chart.one('Deployment')).volumes).toContainEqual({
    name: 'holdfast-benji',
    projected: { sources: [{ secret: { name: 'shop-holdfast-benji' } }] },
  })
})

test.for(['deployment', 'cronjob'])('the notes of mode %s say what is privileged, and what remains', async (mode) => {
  const text = await notes({ mode, benji: { ...benji, crontab } })
  expect(text).toContain('daemonset/shop-holdfast-freeze')
  expect(text).toContain('b-…')
  expect(text).not.toMatch(/\n\n\n/)
  expect(text.split('\n').filter((line) => line.length > 124 && !line.startsWith('  '))).toEqual([])
})
