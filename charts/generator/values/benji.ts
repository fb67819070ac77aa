import {
  count,
  flag,
  group,
  listOf,
  objectOf,
  oneOf,
  part,
  parts,
  text,
  texts,
  type Value,
  type Values,
} from '../value.ts'

const digest = text('Such as sha256:…; wins over the tag.', {
  schema: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
})
const path = { schema: { type: 'string', pattern: String.raw`^(/[^\s\\/]+)+$` } }
const named = { type: 'string', minLength: 1 }

const crontab: Value = {
  description:
    "A crontab for /benji/etc/crontab, in place of config: the text, or a list as Benji's chart has it. Mode cronjob " +
    'needs the list. A change comes into force without a restart.',
  schema: {
    type: ['string', 'array'],
    items: objectOf(
      {
        name: { type: 'string', pattern: String.raw`^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$` },
        schedule: { type: 'string', pattern: String.raw`^(@\w+|\S+(\s+\S+){4})$` },
        command: {
          type: ['string', 'array'],
          minLength: 1,
          minItems: 1,
          pattern: String.raw`^[^\r\n]*$`,
          items: { type: 'string', pattern: String.raw`^[^\r\n]*$` },
        },
      },
      ['name', 'schedule', 'command'],
    ),
  },
  default: '',
  example: `
- { name: volumes, schedule: '15 * * * *', command: benji-backup-pvc --all-namespaces }
- { name: enforce, schedule: '10 2 * * *', command: [benji-command, enforce, 'latest3,days14,months3'] }
- { name: cleanup, schedule: '20 2 * * *', command: [benji-command, cleanup] }
`,
}

const files = {
  schema: {
    type: 'object',
    patternProperties: { [String.raw`^[-._a-zA-Z0-9]+$`]: { type: 'string' } },
    additionalProperties: false,
  },
  default: {},
}

/** Backups of Ceph RBD volumes through Benji. */
export const benjiValues: Values = {
  benji: group('Backups of Ceph RBD volumes through Benji, in modes deployment and cronjob.', {
    enabled: flag('Whether there are any. It takes the image benji-k8s, and reads claims of the whole cluster.', false),
    image: group('The image benji-k8s, in place of image.', {
      repository: text('Where you have pushed it.', { default: 'benji-k8s' }),
      tag: text("Which version. Default: the chart's appVersion."),
      digest,
    }),
    instance: text(
      "Whose versions are whose, where several share a database: BENJI_INSTANCE. Default: the release's name. Benji's " +
        'own tools say benji-k8s where nothing says otherwise.',
    ),
    logLevel: oneOf(['DEBUG', 'INFO', 'WARNING', 'ERROR'], "Of Benji's log, for the lines of a crontab.", 'INFO'),
    configuration: {
      description:
        'The benji.yaml. It becomes a Secret, at /benji/etc/benji.yaml. This one keeps all in the state, below ' +
        '/var/lib/holdfast/benji: set state.persistence, or use PostgreSQL and another storage. Several pods, and parallel ' +
        'backups, need PostgreSQL.',
      schema: { type: 'object' },
      default: {
        configurationVersion: '1',
        databaseEngine: 'sqlite:////var/lib/holdfast/benji/benji.sqlite',
        defaultStorage: 'local',
        storages: [{ name: 'local', module: 'file', configuration: { path: '/var/lib/holdfast/benji/data' } }],
        ios: [
          { name: 'file', module: 'file' },
          { name: 'rbd', module: 'rbdaio' },
        ],
      },
    },
    existingSecret: text('A Secret of yours with the key benji.yaml, in place of configuration.'),
    prepareDatabase: flag(
      "Before each pod's container, one makes Benji's database or brings it up to date. Without it, run " +
        '/usr/local/share/holdfast/benji/prepare-database yourself.',
      true,
    ),
    ceph: group('How Ceph is reached: what is in /etc/ceph.', {
      files: {
        description: 'Files by name: ceph.conf, keyrings. They become a Secret.',
        ...files,
        example: `
ceph.conf: |
  [global]
  mon_host = 10.0.0.1
ceph.client.admin.keyring: |
  [client.admin]
  key = …
`,
      },
      existingSecret: text('A Secret of yours with these files, in place of files.'),
    }),
    crontab,
    freeze: group(
      'Agents that freeze filesystems for their snapshots: one on each node, privileged, without a token. Nothing else ' +
        'of the chart is privileged.',
      {
        enabled: flag('Whether there are any. Without them, claims that ask for freezing fail.', true),
        image: group("Their image: any with Debian's dash, util-linux, coreutils and grep.", {
          repository: text("Such as Holdfast's own on Debian, which is smaller. Default: that of the release."),
          tag: text("Which version. Default: the chart's appVersion."),
          digest,
        }),
        limitSeconds: count(
          'The longest freeze.limit of your plans; an agent that is told to end waits for it.',
          30,
          1,
        ),
        kubeletRoot: text(
          "Where kubelets keep their directories. Lines of a crontab know it; say it as the freeze.kubeletRoot of config's plans.",
          { ...path, default: '/var/lib/kubelet' },
        ),
        sysRoot: text('Where nodes have their sysfs; likewise, as freeze.sysRoot.', { ...path, default: '/sys' }),
        hostPID: flag("They see the node's processes: needed where images are mapped by rbd-nbd.", false),
        resources: part('V1ResourceRequirements', 'What they may use.', {
          default: { requests: { cpu: '1m', memory: '8Mi' }, limits: { memory: '64Mi' } },
        }),
        nodeSelector: texts('Nodes that they run on, by label. Default: all.'),
        tolerations: parts(
          'V1Toleration',
          'Taints that they tolerate. Default: all, as volumes are mounted there too.',
          {
            default: [{ operator: 'Exists' }],
          },
        ),
        priorityClassName: text('Their priority.'),
        podAnnotations: texts('Annotations of their pods.'),
      },
    ),
    restore: group('Restoring into claims that are not there yet.', {
      namespaces: {
        description: 'Namespaces where claims may be made, and removed again if that fails. Each gets a Role.',
        schema: { ...listOf(named), uniqueItems: true },
        default: [],
      },
    }),
    pushgateway: group("A Pushgateway in the pod of mode deployment, as Benji's chart has one per release.", {
      enabled: flag(
        "Whether there is one. Then prometheus.io/… on the pod is about it. A crontab's lines push under Benji's names; " +
          'with config, what Holdfast counts is pushed.',
        false,
      ),
      image: group('Its image.', {
        repository: text('Where it is.', { default: 'prom/pushgateway' }),
        tag: text('Which version.', { default: 'v1.11.1', schema: { type: 'string', minLength: 1 } }),
        digest,
      }),
      port: {
        description: 'Where it listens.',
        schema: { type: 'integer', minimum: 1, maximum: 65_535 },
        default: 9091,
      },
      resources: part('V1ResourceRequirements', 'What it may use.', {
        default: { requests: { cpu: '1m', memory: '32Mi' } },
      }),
    }),
  }),
}
