import { flag, part, parts, text, texts, type Values } from '../value.ts'

/** What pods are made of, and where they run. */
export const podValues: Values = {
  podSecurityContext: part('V1PodSecurityContext', 'Of the pod.', {
    default: {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
  }),
  securityContext: part(
    'V1SecurityContext',
    "Of the container. In mode sidecar it also gets the user and the seccomp profile of podSecurityContext: the pod is the application's.",
    {
      default: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    },
  ),
  resources: part('V1ResourceRequirements', 'What it may use. A limit of memory ends what the scripts do, too.', {
    default: { requests: { cpu: '10m', memory: '128Mi' } },
  }),
  extraEnv: parts('V1EnvVar', 'Environment variables. One with the name of ours replaces it.', {
    example: `
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: shop-backup, key: secret } }
`,
  }),
  envFrom: parts('V1EnvFromSource', 'Environment variables from Secrets and ConfigMaps.', {
    example: '- secretRef: { name: shop-backup }',
  }),
  extraVolumes: parts('V1Volume', 'Volumes: Secrets, claims for backups, what is to be backed up.', {
    example: '- { name: backups, persistentVolumeClaim: { claimName: backups } }',
  }),
  extraVolumeMounts: parts(
    'V1VolumeMount',
    'Where they are mounted. One at a path of ours (/var/lib/holdfast, /tmp, …) replaces it.',
    { example: '- { name: backups, mountPath: /backups }' },
  ),
  podAnnotations: texts('Annotations of pods.'),
  podLabels: texts('Labels of pods.'),
  nodeSelector: texts('Nodes that it may run on, by label.'),
  affinity: part('V1Affinity', 'Nodes and neighbours that it prefers.'),
  tolerations: parts('V1Toleration', 'Taints that it tolerates.'),
  topologySpreadConstraints: parts('V1TopologySpreadConstraint', 'How pods are spread.'),
  priorityClassName: text('Its priority.'),
  hostNetwork: flag(
    "The node's network. No port is declared: a pod whose port is taken runs without HTTP, and says so.",
    false,
  ),
}
