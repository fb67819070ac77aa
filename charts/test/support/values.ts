import type { GivenValues } from './helm.ts'

/** A configuration that makes sense. */
export const config = {
  storage: 'file:///backups',
  plans: {
    shop: {
      schedule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
      use: [{ '@holdfast/plugin-scripts#scripts': { path: '/scripts' } }],
      retention: { latest: 3, days: 14 },
    },
  },
}

/** Volumes, backed up by the crontab of Benji's container. */
export const benji = {
  enabled: true,
  crontab: "15 * * * * root benji-backup-pvc --all-namespaces -l 'tier in (db,queue)'\n",
}

/** Every value of `benji` that can be set without excluding another. */
export const benjiEverything = {
  benji: {
    ...benji,
    image: { repository: 'registry.example/benji-k8s', tag: '1.2.3' },
    instance: 'benji-east',
    logLevel: 'WARNING',
    configuration: {
      databaseEngine: 'postgresql://benji@postgresql:5432/benji',
      defaultStorage: 'bucket',
      blockSize: 4_194_304,
      storages: [{ name: 'bucket', module: 's3', configuration: { bucketName: 'volumes' } }],
    },
    ceph: {
      files: { 'ceph.conf': '[global]\nmon_host = 10.0.0.1\n', 'ceph.client.admin.keyring': '[client.admin]\n' },
    },
    freeze: {
      image: { repository: 'registry.example/holdfast', tag: '1.2.3' },
      limitSeconds: 60,
      kubeletRoot: '/var/lib/k0s/kubelet',
      sysRoot: '/host/sys',
      hostPID: true,
      resources: { limits: { memory: '32Mi' } },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'storage', operator: 'Exists' }],
      priorityClassName: 'system-node-critical',
      podAnnotations: { 'example.com/a': 'b' },
    },
    restore: { namespaces: ['web', 'shop'] },
    pushgateway: { enabled: true, image: { tag: 'v1.11.1' }, resources: { limits: { memory: '64Mi' } } },
  },
  imagePullSecrets: [{ name: 'registry' }],
  commonLabels: { team: 'storage' },
  timeZone: 'Europe/Berlin',
  extraEnv: [{ name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'postgresql', key: 'password' } } }],
} as const satisfies GivenValues

/** Every value that can be set in mode deployment without excluding another. */
export const everything: GivenValues = {
  nameOverride: 'backup',
  commonLabels: { team: 'shop' },
  image: { repository: 'registry.example/holdfast', tag: '1.2.3', pullPolicy: 'Always' },
  imagePullSecrets: [{ name: 'registry' }],
  config: { ...config, instance: 'shop', metrics: { listen: '0.0.0.0:9999' } },
  files: { 'report.ts': "export default 'report'\n" },
  scripts: {
    directories: { backups: { '10-dump': '#!/bin/sh\nkubectlexec pg_dump\n' }, on_error: { mail: '#!/bin/sh\n' } },
    configMaps: [
      { name: 'more', directory: 'backups' },
      { name: 'install', directory: 'install_dependencies', items: [{ key: 'apt', path: '10-apt' }] },
    ],
  },
  timeZone: 'Europe/Berlin',
  logLevel: 'debug',
  replicaCount: 1,
  terminationGracePeriodSeconds: 120,
  state: { persistence: { enabled: true, size: '5Gi', storageClassName: 'fast', annotations: { a: 'b' } } },
  probes: { readiness: { periodSeconds: 60 } },
  serviceAccount: { annotations: { role: 'backup' } },
  rbac: {
    scope: 'namespace',
    namespaces: ['web', 'shop'],
    rules: [{ apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['get', 'list'] }],
    clusterRules: [{ apiGroups: [''], resources: ['persistentvolumes'], verbs: ['get', 'list'] }],
  },
  metrics: {
    pushgateway: 'http://pushgateway:9091',
    service: { annotations: { a: 'b' } },
    podMonitor: { enabled: true, labels: { release: 'prometheus' }, interval: '1m', scrapeTimeout: '10s' },
    serviceMonitor: {
      enabled: true,
      labels: { release: 'prometheus' },
      relabelings: [{ sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' }],
      metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'holdfast_exec_.*' }],
    },
    prometheusRule: {
      enabled: true,
      labels: { release: 'prometheus' },
      runbookUrl: 'https://wiki.example/backups',
      disabled: ['RestoreDrillStale'],
    },
  },
  api: { tokenSecret: { name: 'shop-api', key: 'holdfast' }, hosts: ['backups.example.org', 'backups.local'] },
  podSecurityContext: { runAsUser: 2000 },
  resources: { limits: { cpu: 2, memory: '1Gi' } },
  extraEnv: [
    { name: 'KUBERNETES_SERVICE_HOST', value: '127.0.0.1' },
    { name: 'HOLDFAST_LOG_LEVEL', value: 'warn' },
    { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'shop', key: 'password' } } },
  ],
  envFrom: [{ secretRef: { name: 'shop' } }],
  extraVolumes: [{ name: 'backups', persistentVolumeClaim: { claimName: 'backups' } }],
  extraVolumeMounts: [{ name: 'backups', mountPath: '/backups' }],
  podAnnotations: { 'example.com/a': 'b' },
  podLabels: { tier: 'backup' },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
  tolerations: [{ key: 'backup', operator: 'Exists', effect: 'NoSchedule' }],
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
  ],
  priorityClassName: 'backup',
  hostNetwork: true,
}
