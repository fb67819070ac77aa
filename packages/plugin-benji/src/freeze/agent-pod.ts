// The agent that freezes, as plain data: the chart, the generator and the documentation say the same.
import { agentScript } from './agent-script.ts'
import { defaultKubeletRoot } from './options.ts'
import { scriptCommand } from './shell.ts'

/** What finds an agent. */
export const freezeAgent = {
  labels: { 'app.kubernetes.io/component': 'freeze-agent' },
  /** Default of `freeze.agentSelector`; looked for in our own namespace only. */
  selector: 'app.kubernetes.io/component=freeze-agent',
  container: 'freeze-agent',
  /** Of the host, in memory: it outlives agents, and is gone together with what was frozen. */
  stateDirectory: '/run/holdfast/freeze',
} as const

/** Options of {@link freezeAgentPod}. */
export interface FreezeAgentPodOptions {
  /** Any with dash, util-linux, coreutils and GNU grep, such as Holdfast's own on Debian. */
  readonly image: string
  /** Where the kubelet keeps its directories. Default `/var/lib/kubelet`. */
  readonly kubeletRoot?: string | undefined
  /**
   * `true`: the agent sees the node's processes. Needed where images are mapped by rbd-nbd: only the command line of that
   * says which image a device is. Default false.
   */
  readonly hostPID?: boolean | undefined
  /** The longest that a filesystem may be frozen, in seconds; an agent waits for it before it ends. Default 30. */
  readonly limitSeconds?: number | undefined
}

/**
 * The specification of an agent's pod: one on each node that mounts volumes.
 *
 * - Privileged, since freezing takes SYS_ADMIN, and the kubelet's directories are closed to others where SELinux is on.
 *   Nothing of Kubernetes is needed: no token.
 * - `HostToContainer`, so that it sees what is mounted after its start (K3, B7).
 */
export function freezeAgentPod(options: FreezeAgentPodOptions) {
  const { image, kubeletRoot = defaultKubeletRoot, hostPID = false, limitSeconds = 30 } = options
  const { container, stateDirectory } = freezeAgent
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    hostPID,
    terminationGracePeriodSeconds: Math.ceil(limitSeconds) + 30,
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        name: container,
        image,
        command: scriptCommand(agentScript, 'holdfast-freeze-agent'),
        securityContext: { privileged: true, runAsUser: 0, runAsNonRoot: false, readOnlyRootFilesystem: true },
        resources: { requests: { cpu: '1m', memory: '8Mi' }, limits: { memory: '64Mi' } },
        volumeMounts: [
          { name: 'kubelet', mountPath: kubeletRoot, mountPropagation: 'HostToContainer' },
          { name: 'sys', mountPath: '/sys', readOnly: true },
          { name: 'state', mountPath: stateDirectory },
        ],
      },
    ],
    volumes: [
      { name: 'kubelet', hostPath: { path: kubeletRoot, type: 'Directory' } },
      { name: 'sys', hostPath: { path: '/sys', type: 'Directory' } },
      { name: 'state', hostPath: { path: stateDirectory, type: 'DirectoryOrCreate' } },
    ],
  } as const
}
