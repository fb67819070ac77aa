// What is refused before anything is installed, and whether the message says where.
import { expect, test } from 'vitest'
import { refusal, type GivenValues } from './support/helm.ts'
import { benji, config } from './support/values.ts'

const withPlan = (plan: object): GivenValues => ({ config: { plans: { shop: { use: ['./shop.ts'], ...plan } } } })
const withUse = (use: unknown): GivenValues => withPlan({ use: [use] })
const scripts = '@holdfast/plugin-scripts#scripts'
const volumes = '@holdfast/plugin-benji#benjiBackup'

/** By the schema: values → path and what is wrong there. */
const bySchema: readonly (readonly [values: GivenValues, path: string, message: string])[] = [
  // The chart's own.
  [{ mod: 'cronjob' }, '', `additional properties 'mod' not allowed`],
  [{ mode: 'cronjobs' }, '/mode', `value must be one of 'deployment', 'cronjob', 'sidecar'`],
  [{ image: { tagg: '1' } }, '/image', `additional properties 'tagg' not allowed`],
  [{ image: { tag: 1.5 } }, '/image/tag', 'got number, want string'],
  [{ image: { digest: 'latest' } }, '/image/digest', 'does not match pattern'],
  [{ replicaCount: '2' }, '/replicaCount', 'got string, want integer'],
  [{ terminationGracePeriodSeconds: 5 }, '/terminationGracePeriodSeconds', 'minimum: got 5, want 10'],
  [{ configFrom: { key: 'holdfast.yaml' } }, '/configFrom', `missing property 'configMap'`],
  [{ files: { 'hooks/report.ts': '' } }, '/files', `additional properties 'hooks/report.ts' not allowed`],
  [{ scripts: { directories: { backup: {} } } }, '/scripts/directories', `additional properties 'backup' not allowed`],
  [
    { scripts: { configMaps: [{ name: 'a', directory: 'backup' }] } },
    '/scripts/configMaps/0/directory',
    `value must be one of 'install_dependencies'`,
  ],
  [{ logLevel: 'verbose' }, '/logLevel', 'value must be one of'],
  [{ cronjob: { plans: { shop: { schedule: '@daily' } } } }, '/cronjob/plans/shop', `missing property 'cron'`],
  [{ state: { persistence: { size: 'ten' } } }, '/state/persistence/size', 'does not match pattern'],
  [{ state: { persistence: { accessModes: [] } } }, '/state/persistence/accessModes', 'minItems: got 0, want 1'],
  [{ probes: { liveness: { exec: {} } } }, '/probes/liveness', `additional properties 'exec' not allowed`],
  [{ rbac: { scope: 'all' } }, '/rbac/scope', `value must be one of 'namespace', 'cluster'`],
  [{ metrics: { port: 70_000 } }, '/metrics/port', 'maximum: got 70,000, want 65,535'],
  [{ metrics: { podMonitor: { interval: 'often' } } }, '/metrics/podMonitor/interval', 'does not match pattern'],
  // Benji's.
  [{ benji: { enable: true } }, '/benji', `additional properties 'enable' not allowed`],
  [{ benji: { configuration: 'benji.yaml' } }, '/benji/configuration', 'got string, want object'],
  [{ benji: { logLevel: 'info' } }, '/benji/logLevel', 'value must be one of'],
  [{ benji: { crontab: { volumes: '@daily' } } }, '/benji/crontab', 'got object, want string or array'],
  [{ benji: { crontab: [{ schedule: '@daily', command: 'true' }] } }, '/benji/crontab/0', `missing property 'name'`],
  [
    { benji: { crontab: [{ name: 'a', schedule: '* * * *', command: 'true' }] } },
    '/benji/crontab/0/schedule',
    'does not match pattern',
  ],
  [
    { benji: { crontab: [{ name: 'a', schedule: '@daily', command: [] }] } },
    '/benji/crontab/0/command',
    'minItems: got 0, want 1',
  ],
  [
    { benji: { crontab: [{ name: 'a', schedule: '@daily', command: 'a\nb' }] } },
    '/benji/crontab/0/command',
    'does not match pattern',
  ],
  [{ benji: { ceph: { files: { 'a/b': '' } } } }, '/benji/ceph/files', `additional properties 'a/b' not allowed`],
  [{ benji: { freeze: { kubeletRoot: 'kubelet/' } } }, '/benji/freeze/kubeletRoot', 'does not match pattern'],
  [{ benji: { freeze: { limitSeconds: 0 } } }, '/benji/freeze/limitSeconds', 'minimum: got 0, want 1'],
  [{ benji: { freeze: { resources: { limit: {} } } } }, '/benji/freeze/resources', `'limit' not allowed`],
  [{ benji: { restore: { namespaces: ['a', 'a'] } } }, '/benji/restore/namespaces', 'items at 0 and 1 are equal'],
  [{ benji: { restore: { namespaces: [''] } } }, '/benji/restore/namespaces/0', 'minLength: got 0, want 1'],
  [{ benji: { pushgateway: { port: 0 } } }, '/benji/pushgateway/port', 'minimum: got 0, want 1'],
  [{ benji: { pushgateway: { image: { tag: '' } } } }, '/benji/pushgateway/image/tag', 'minLength: got 0, want 1'],
  // Parts of Kubernetes objects.
  [{ extraEnv: [{ name: 'PORT', value: 80 }] }, '/extraEnv/0/value', 'got number, want string'],
  [{ envFrom: [{ secret: 'shop' }] }, '/envFrom/0', `additional properties 'secret' not allowed`],
  [{ tolerations: [{ effekt: 'NoSchedule' }] }, '/tolerations/0', `additional properties 'effekt' not allowed`],
  [{ affinity: { nodeAfinity: {} } }, '/affinity', `additional properties 'nodeAfinity' not allowed`],
  [{ extraVolumes: [{ emptyDir: {} }] }, '/extraVolumes/0', `missing property 'name'`],
  [
    { extraVolumes: [{ name: 'a', secret: { secretNam: 'a' } }] },
    '/extraVolumes/0/secret',
    `additional properties 'secretNam' not allowed`,
  ],
  [{ securityContext: { runAsUser: 'root' } }, '/securityContext/runAsUser', 'got string, want integer'],
  [{ resources: { limits: { cpu: true } } }, '/resources/limits/cpu', 'got boolean'],
  [{ rbac: { rules: [{ resources: ['pods'] }] } }, '/rbac/rules/0', `missing property 'verbs'`],
  [{ topologySpreadConstraints: [{ maxSkew: 1 }] }, '/topologySpreadConstraints/0', 'missing properties'],
  // The configuration, in the words of holdfast.yaml.
  [{ config: { plan: {} } }, '/config', `additional properties 'plan' not allowed`],
  [{ config: { instance: 'shop' } }, '/config', `missing property 'plans'`],
  [{ config: { plans: 'shop' } }, '/config/plans', 'got string, want array or object'],
  [withPlan({ scedule: {} }), '/config/plans/shop', `additional properties 'scedule' not allowed`],
  [{ config: { plans: [{ use: ['./a.ts'] }] } }, '/config/plans/0', `missing property 'name'`],
  [withPlan({ use: [] }), '/config/plans/shop/use', 'minItems: got 0, want 1'],
  [withUse('plugin'), '/config/plans/shop/use/0', 'does not match pattern'],
  [withUse({ [scripts]: { pathh: '/' } }), `/config/plans/shop/use/0/${scripts.replace('/', '~1')}`, `'pathh'`],
  [withUse({ [volumes]: { al: true } }), `/config/plans/shop/use/0/${volumes.replace('/', '~1')}`, `'al' not allowed`],
  [
    withUse({ [volumes]: { all: true, freeze: { mode: 'optional' } } }),
    `/config/plans/shop/use/0/${volumes.replace('/', '~1')}/freeze/mode`,
    'value must be one of',
  ],
  [withPlan({ budget: '5 minutes' }), '/config/plans/shop/budget', `'5 minutes' does not match pattern`],
  [withPlan({ schedule: { timeZone: 'UTC' } }), '/config/plans/shop/schedule', `missing property 'cron'`],
  [withPlan({ retention: { latest: -1 } }), '/config/plans/shop/retention/latest', 'minimum: got -1, want 0'],
  [{ config: { ...config, replicas: 'two' } }, '/config/replicas', `value must be one of 'each', 'leader'`],
  [{ config: { ...config, metrics: { listen: 99_999 } } }, '/config/metrics/listen', 'maximum: got 99,999'],
  [
    { config: { ...config, encoding: { identity: 'AGE-SECRET-KEY-1' } } },
    '/config/encoding/identity',
    'got string, want object',
  ],
]

/** By the templates: values → what is said. */
const byTemplate: readonly (readonly [values: GivenValues, message: string])[] = [
  [{}, 'there is nothing to back up yet: set config'],
  [{ config, configFrom: { configMap: 'mine' } }, 'config and configFrom are both a configuration: set one of them'],
  [{ config, files: { crontab: '' } }, 'config and files.crontab are both a configuration: set one of them'],
  [{ mode: 'cronjob', ...withPlan({}) }, 'makes a CronJob for each plan with a schedule, and there is none'],
  // Kubernetes would run them on other days, as `holdfast generate kubernetes` knows.
  ...['0 3 */2 * 1', '0 3 1 * */2', '0 3 1,* * 1'].map(
    (cron) => [{ mode: 'cronjob', ...withPlan({ schedule: { cron } }) }, `shop has the schedule "${cron}"`] as const,
  ),
  [
    { mode: 'cronjob', configFrom: { configMap: 'mine' } },
    'makes a CronJob for each plan with a schedule, and there is none',
  ],
  [
    { config, benji: { enabled: true, crontab: '@daily root true\n' } },
    'config and benji.crontab are both a configuration',
  ],
  [{ mode: 'sidecar', config, benji: { enabled: true } }, 'benji.enabled is for modes deployment and cronjob'],
  [{ mode: 'cronjob', benji }, 'or write benji.crontab as a list'],
  [
    { mode: 'cronjob', config, benji: { enabled: true, pushgateway: { enabled: true } } },
    'what pods of CronJobs push must outlive them',
  ],
  [
    { benji: { ...benji, ceph: { files: { 'ceph.conf': '' }, existingSecret: 'ceph' } } },
    'benji.ceph.files and benji.ceph.existingSecret are both /etc/ceph',
  ],
  [{ benji, replicaCount: 2 }, "benji.configuration has SQLite, which is one pod's own"],
  [
    { config, metrics: { pushgateway: 'http://me:canary@pushgateway:9091' } },
    'metrics.pushgateway holds a password, and would end up in a ConfigMap',
  ],
  [
    { config: { ...config, metrics: { pushgateway: 'me:canary@pushgateway:9091' } } },
    'config.metrics.pushgateway holds a password, and would end up in a ConfigMap',
  ],
  [{ mode: 'cronjob', config, api: { tokenSecret: { name: 'api' } } }, 'nobody asks them anything'],
  [{ config, replicaCount: 2, state: { persistence: { enabled: true } } }, 'each pod needs a state of its own'],
]

// Helm says everything that is wrong at once, so wrong values share a call where they are not about the same one.
const groups: { readonly values: Record<string, unknown>; readonly members: number[] }[] = []
for (const [index, [values]] of bySchema.entries()) {
  const free = groups.find((group) => Object.keys(values).every((key) => !(key in group.values)))
  const group = free ?? { values: {}, members: [] }
  if (!free) groups.push(group)
  Object.assign(group.values, values)
  group.members.push(index)
}
const said: string[] = []
await Promise.all(
  groups.map(async ({ values, members }) => {
    const message = await refusal(values)
    for (const index of members) said[index] = message
  }),
)

test.for(bySchema.map((each, index) => [...each, said[index] ?? ''] as const))(
  '%j is refused at %s',
  ([, path, message, all]) => {
    const lines = all.split('\n').filter((line) => line.includes(`at '${path}': `))
    expect(lines.join('\n'), all).toContain(message)
  },
)

test.for(byTemplate)('%j is refused', async ([values, message]) => {
  expect(await refusal(values)).toContain(message)
})
