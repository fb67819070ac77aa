// Commands in containers, the daemon in a pod, and the image, on the cluster of e2e/up.sh. Both sides of each pair run
// in the same pod, with the same service account. Where the cluster can't be had, that is said, and nothing is measured.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { measureAdded } from '../scripts/image-size.ts'
import { median, type Result } from './result.ts'

const root = join(import.meta.dirname, '..')
const MiB = 1024 ** 2
const namespace = 'bench'
const fileMiB = 256

/** Measures everything here. */
export async function run(): Promise<Result[]> {
  if (process.getuid?.() !== 0) {
    process.stdout.write('kubernetes: NOT MEASURED, it needs root to start a cluster (e2e/up.sh)\n')
    return []
  }
  const env = up()
  try {
    return await measure(env)
  } finally {
    kubectl(env, ['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found'])
    if (process.env['HOLDFAST_E2E_KEEP'] !== '1') spawnSync(join(root, 'e2e/down.sh'), { stdio: 'ignore' })
  }
}

/** The environment that e2e/up.sh prints. */
function up(): NodeJS.ProcessEnv {
  const script = 'environment=$(e2e/up.sh) && eval "$environment" && env -0'
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: root, maxBuffer: 64 * MiB })
  if (status !== 0) throw new Error(`e2e/up.sh failed: ${stderr.toString().slice(-2000)}`)
  const entries = stdout.toString().split('\0').filter(Boolean)
  return Object.fromEntries(
    entries.map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
  )
}

function kubectl(env: NodeJS.ProcessEnv, args: readonly string[], input?: string): string {
  const ended = spawnSync('kubectl', args, { env, input, maxBuffer: 64 * MiB })
  if (ended.status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${ended.stderr.toString()}`)
  return ended.stdout.toString()
}

async function measure(env: NodeJS.ProcessEnv): Promise<Result[]> {
  kubectl(env, ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects(env) }))
  kubectl(env, ['-n', namespace, 'wait', '--for=condition=Ready', 'pod/bench', '--timeout=120s'])
  // Read once, so that the page cache has it for both sides.
  const make = `head -c ${fileMiB * MiB} /dev/urandom > /data/file && cat /data/file > /dev/null`
  kubectl(env, ['-n', namespace, 'exec', 'bench', '-c', 'target', '--', '/bin/sh', '-c', make])
  const script = readFileSync(join(import.meta.dirname, 'kubernetes.child.mjs'), 'utf8')
  const measured = kubectl(
    env,
    ['-n', namespace, 'exec', '-i', 'bench', '-c', 'tools', '--', 'node', '--input-type=module', '-'],
    script,
  )
  const found = JSON.parse(measured.slice(measured.indexOf('{'))) as Measured
  return [...throughput(found), ...latency(found), await idleDaemon(env), ...layers(env)]
}

interface Pair {
  /** Milliseconds of a whole process, in pairs. */
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
}
interface Measured {
  readonly status: Pair
  readonly sha256: Pair
  readonly warm: Pair
  readonly cold: Pair
  /** Whether the page cache could be dropped. */
  readonly dropped: boolean
}

function throughput({ status, sha256 }: Measured): readonly Result[] {
  const speed = (list: readonly number[]): string => `${Math.round((fileMiB / median(list)) * 1000)} MiB/s`
  const ratioOf = ({ ours, theirs }: Pair): number => median(theirs.map((each, at) => each / (ours[at] ?? NaN)))
  return [
    {
      name: "exec.container, 'status', speed / kubectl exec cat",
      ratio: ratioOf(status),
      bar: '≥ 0.9×',
      pass: ratioOf(status) >= 0.9,
      note: `${speed(status.ours)} against ${speed(status.theirs)}, median of ${status.ours.length} pairs`,
    },
    {
      name: "exec.container, 'sha256', speed / kubectl exec cat",
      ratio: ratioOf(sha256),
      bar: 'reported',
      pass: true,
      note: `${speed(sha256.ours)} against ${speed(sha256.theirs)}`,
    },
  ]
}

function latency({ warm, cold, dropped }: Measured): readonly Result[] {
  const row = (name: string, { ours, theirs }: Pair, note: string): Result => {
    const ratio = median(ours.map((each, at) => each / (theirs[at] ?? NaN)))
    return {
      name: `kubectlexec -- true, ${name} / kubectl exec`,
      ratio,
      bar: '≤ 1.2×',
      pass: ratio <= 1.2,
      note: `${Math.round(median(ours))} ms against ${Math.round(median(theirs))} ms${note}`,
    }
  }
  return [
    row('warm', warm, ''),
    row(
      'cold',
      cold,
      dropped
        ? ', page cache dropped before each'
        : ', first runs of the pod only: the page cache could not be dropped',
    ),
  ]
}

async function idleDaemon(env: NodeJS.ProcessEnv): Promise<Result> {
  kubectl(env, ['-n', namespace, 'wait', '--for=condition=Ready', 'pod/daemon', '--timeout=120s'])
  await sleep(30_000)
  // The others are tini and this shell.
  const command = ['/bin/sh', '-c', 'grep -h VmRSS /proc/[0-9]*/status; true']
  const text = kubectl(env, ['-n', namespace, 'exec', 'daemon', '-c', 'holdfast', '--', ...command])
  const kib = Math.max(...[...text.matchAll(/VmRSS:\s+(\d+) kB/g)].map(([, value]) => Number(value)))
  const megabytes = (kib * 1024) / 1e6
  return {
    name: 'idle daemon in a pod: RSS, MB',
    ratio: megabytes,
    bar: '< 110',
    pass: megabytes < 110,
    note: 'one plan, HTTP, leader election, copies of undos',
  }
}

/** Our layers: everything above the base, as a registry keeps them and as they lie on a node's disk. */
function layers(env: NodeJS.ProcessEnv): readonly Result[] {
  const archive = (name: string): Buffer => readFileSync(`${env['HOLDFAST_E2E_DIR']}/images/holdfast.local_${name}.tar`)
  const { together } = measureAdded(archive('holdfast_test'), archive('node_24'))
  const [packed, unpacked] = [together.compressed / 1e6, together.unpacked / 1e6]
  const benji = measureAdded(archive('benji_test'), archive('node_24')).together
  const onBenji = measureAdded(archive('benji-k8s_test'), archive('benji_test')).together
  const reported = (name: string, bytes: number, note: string): Result => ({
    name,
    ratio: bytes / 1e6,
    bar: 'reported',
    pass: true,
    note,
  })
  const ceph = "Debian's ceph-common with librbd, Python, and Benji"
  return [
    reported('image benji: layers above Debian with Node, compressed, MB', benji.compressed, ceph),
    reported('image benji: layers above Debian with Node, unpacked, MB', benji.unpacked, ceph),
    reported(
      'image benji-k8s: layers above benji, compressed, MB',
      onBenji.compressed,
      'Holdfast; Node is below already',
    ),
    reported('image benji-k8s: layers above benji, unpacked, MB', onBenji.unpacked, 'Holdfast; Node is below already'),
    {
      name: 'image: our layers above the base, compressed, MB',
      ratio: packed,
      bar: '< 15',
      pass: packed < 15,
      note: "what a node pulls; with Debian's packages",
    },
    {
      name: 'image: our layers above the base, unpacked, MB',
      ratio: unpacked,
      bar: '< 15',
      pass: unpacked < 15,
      note: "two thirds are Debian's: curl with OpenSSL and Kerberos, ca-certificates, tini",
    },
  ]
}

function objects(env: NodeJS.ProcessEnv): readonly object[] {
  const api = [
    { name: 'KUBERNETES_SERVICE_HOST', value: '127.0.0.1' },
    { name: 'KUBERNETES_SERVICE_PORT', value: env['HOLDFAST_E2E_API_PORT'] },
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    { name: 'POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
  ]
  const metadata = { name: 'bench', namespace }
  const rules = [
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
    { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
    { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'get', 'list', 'delete'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'get', 'update'] },
  ]
  const pod = (name: string, spec: object): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { hostNetwork: true, serviceAccountName: 'bench', terminationGracePeriodSeconds: 1, ...spec },
  })
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      subjects: [{ kind: 'ServiceAccount', name: 'bench', namespace }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'bench' },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'daemon', namespace },
      data: {
        'holdfast.config.ts': `
import { defineConfig, defineHook } from '@holdfast/sdk'
const nothing = defineHook('backups', ({ createArtifact }) => createArtifact('a', (sink) => sink.write(Buffer.from('a'))), { name: 'nothing' })
export default defineConfig({ replicas: 'leader', plans: [{ name: 'a', schedule: { cron: '0 3 1 1 *' }, use: [nothing] }] })
`,
      },
    },
    pod('bench', {
      containers: [
        { name: 'target', image: 'holdfast.local/busybox:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
        {
          name: 'tools',
          image: 'holdfast.local/holdfast:test',
          args: ['sleep', 'infinity'],
          env: [...api, { name: 'TARGET_CONTAINER', value: 'target' }],
          // Dropping the page cache takes root.
          securityContext: { privileged: true, runAsUser: 0 },
          volumeMounts: [{ name: 'kit', mountPath: '/kit' }],
        },
      ],
      volumes: [
        { name: 'data', emptyDir: {} },
        { name: 'kit', hostPath: { path: `${env['HOLDFAST_E2E_DIR']}/bin` } },
      ],
    }),
    pod('daemon', {
      containers: [
        {
          name: 'holdfast',
          image: 'holdfast.local/holdfast:test',
          env: api,
          volumeMounts: [
            { name: 'config', mountPath: '/etc/holdfast' },
            { name: 'state', mountPath: '/var/lib/holdfast' },
          ],
        },
      ],
      volumes: [
        { name: 'config', configMap: { name: 'daemon' } },
        { name: 'state', emptyDir: {} },
      ],
    }),
  ]
}
