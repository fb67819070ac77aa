// Volumes through a real Benji, on the cluster and the Ceph of e2e/up.sh: how long a filesystem stands still, how long
// many volumes take, and what a large diff costs. Where they can't be had, that is said, and nothing is measured.
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freezeAgent, freezeAgentPod } from '../packages/plugin-benji/src/freeze/agent-pod.ts'
import { median, type Result } from './result.ts'

const root = join(import.meta.dirname, '..')
const MiB = 1024 ** 2
const namespace = 'bench-benji'
const manyClaims = 16
const freezes = 60

/** Measures everything here. */
export async function run(): Promise<Result[]> {
  if (process.getuid?.() !== 0) {
    process.stdout.write('benji: NOT MEASURED, it needs root to start a cluster and Ceph (e2e/up.sh)\n')
    return []
  }
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-benji-'))
  const site = prepare(up(), directory)
  try {
    return [...(await freezing(site)), ...makespan(site), await largeDiff(site)]
  } finally {
    site.clean()
    rmSync(directory, { recursive: true, force: true })
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

/** Where everything is. */
interface Site {
  readonly directory: string
  readonly env: NodeJS.ProcessEnv
  readonly holdfast: string
  readonly benjiConfig: string
  succeed(program: string, args: readonly string[], input?: string | Buffer): string
  apply(...objects: readonly object[]): void
  /** An image, and a claim of it. */
  claim(name: string, sizeMiB: number, annotations?: Readonly<Record<string, string>>): string
  clean(): void
}

function prepare(cluster: NodeJS.ProcessEnv, directory: string): Site {
  const env: NodeJS.ProcessEnv = { ...cluster, HOME: directory, HOLDFAST_STATE_DIR: join(directory, 'state') }
  const succeed = (program: string, args: readonly string[], input?: string | Buffer): string => {
    const ended = spawnSync(program, args, { env, input, cwd: directory, maxBuffer: 64 * MiB })
    if (ended.status !== 0) {
      throw new Error(
        `${program} ${args.join(' ')} ended with ${ended.status}: ${ended.stderr?.toString().slice(-2000)}`,
      )
    }
    return ended.stdout.toString()
  }
  const apply = (...objects: readonly object[]): void =>
    void succeed('kubectl', ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  const images: string[] = []
  const benjiConfig = join(directory, 'benji.yaml')
  writeFileSync(benjiConfig, JSON.stringify(configOf(directory, env)))
  succeed('benji', ['-c', benjiConfig, 'database-init'])
  apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  return {
    directory,
    env,
    holdfast: join(env['HOLDFAST_E2E_DIR'] ?? '', 'image-context/app/bin/holdfast.js'),
    benjiConfig,
    succeed,
    apply,
    claim(name, sizeMiB, annotations) {
      const image = `rbd/${namespace}-${name}`
      images.push(image)
      succeed('rbd', ['create', '--size', `${sizeMiB}M`, image])
      apply(...claimObjects(name, sizeMiB, annotations))
      succeed('kubectl', ['-n', namespace, 'wait', '--for=jsonpath={.status.phase}=Bound', `pvc/${name}`])
      return image
    },
    clean() {
      const pvs = images.map((image) => image.slice('rbd/'.length))
      for (const args of [
        ['-n', namespace, 'delete', 'pods,daemonsets', '--all', '--grace-period=1', '--wait'],
        ['delete', 'namespace', namespace, '--wait=false'],
        ['delete', 'pv', ...pvs, '--wait=false', '--ignore-not-found'],
      ]) {
        spawnSync('kubectl', args, { env })
      }
      for (const image of images) {
        spawnSync('rbd', ['snap', 'purge', '--no-progress', image], { env })
        spawnSync('rbd', ['rm', '--no-progress', image], { env })
      }
    },
  }
}

function configOf(directory: string, { CEPH_CONF }: NodeJS.ProcessEnv): object {
  return {
    configurationVersion: '1',
    databaseEngine: `sqlite:///${directory}/benji.sqlite`,
    defaultStorage: 'files',
    storages: [{ name: 'files', module: 'file', configuration: { path: `${directory}/storage` } }],
    ios: [{ name: 'rbd', module: 'rbdaio', configuration: { cephConfigFile: CEPH_CONF } }],
  }
}

function claimObjects(
  name: string,
  sizeMiB: number,
  annotations?: Readonly<Record<string, string>>,
): readonly object[] {
  const volume = `${namespace}-${name}`
  const common = { accessModes: ['ReadWriteOnce'], storageClassName: '' }
  const storage = `${sizeMiB}Mi`
  const volumeAttributes = { pool: 'rbd', imageName: volume, staticVolume: 'true' }
  const csi = { driver: 'rbd.csi.ceph.com', volumeHandle: volume, volumeAttributes }
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volume },
      spec: {
        ...common,
        capacity: { storage },
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace, name },
        csi,
      },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace, annotations },
      spec: { ...common, volumeName: volume, resources: { requests: { storage } } },
    },
  ]
}

/** Writes a configuration of one plan. */
function configure(
  { directory, benjiConfig }: Site,
  options: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>> = {},
): void {
  const given = JSON.stringify({ engine: { configFile: benjiConfig }, ...options })
  writeFileSync(
    join(directory, 'holdfast.config.ts'),
    `import { defineConfig } from '@holdfast/sdk'
import { benjiBackup } from '@holdfast/plugin-benji'
export default defineConfig({ plans: [{ ...${JSON.stringify({ name: 'volumes', ...settings })}, use: [benjiBackup(${given})] }] })
`,
  )
}

// ---- How long a filesystem stands still -----------------------------------------------------------------------------

/** Each freeze beside a snapshot of the same image that nothing is frozen for. */
async function freezing(site: Site): Promise<readonly Result[]> {
  const { directory, env, succeed, apply } = site
  const kubeletRoot = join(env['HOLDFAST_E2E_DIR'] ?? '', 'cluster/kubelet')
  const sysRoot = '/sys-of-the-kit'
  apply(agents(kubeletRoot, sysRoot, env['HOLDFAST_E2E_SYS'] ?? ''))
  succeed('kubectl', ['-n', namespace, 'rollout', 'status', 'daemonset/freeze-agent', '--timeout=120s'])
  const image = site.claim('frozen', 64, { 'benji-backup.me/fsfreeze': 'yes' })
  apply(writer('frozen'))
  succeed('kubectl', ['-n', namespace, 'wait', '--for=condition=Ready', 'pod/writer', '--timeout=120s'])
  // Once thawed, nothing of interest follows.
  const benji = join(directory, 'no-benji')
  writeFileSync(benji, '#!/bin/sh\ncase " $* " in *" ls "*) echo \'{"versions": []}\' ;; *) exit 70 ;; esac\n', {
    mode: 0o755,
  })
  const freeze = { kubeletRoot, sysRoot, limit: '30s' }
  const kubeconfig = join(directory, 'kubeconfig')
  writeFileSync(kubeconfig, succeed('kubectl', ['config', 'view', '--raw', '--flatten']))
  succeed('kubectl', ['--kubeconfig', kubeconfig, 'config', 'set-context', '--current', `--namespace=${namespace}`])
  configure(site, { pvcs: [`${namespace}/frozen`], freeze, engine: { configFile: site.benjiConfig, command: [benji] } })
  const frozen: number[] = []
  const snapshots: number[] = []
  const thaw = thawInTheEnd(kubeletRoot)
  try {
    for (let at = 0; at < freezes; at++) {
      const { stderr } = spawnSync(process.execPath, [site.holdfast, 'run', 'volumes'], {
        env: { ...env, KUBECONFIG: kubeconfig },
        cwd: directory,
      })
      const [, ms] = /"msg":"thawed .* after ([\d.]+) ms"/.exec(stderr.toString()) ?? []
      if (ms === undefined) throw new Error(`nothing was frozen: ${stderr.toString().slice(-3000)}`)
      frozen.push(Number(ms))
      snapshots.push(timed(() => succeed('rbd', ['snap', 'create', '--no-progress', `${image}@bench`])))
      succeed('rbd', ['snap', 'rm', '--no-progress', `${image}@bench`])
    }
  } finally {
    thaw()
  }
  const note = (of: (list: readonly number[]) => number): string =>
    `${Math.round(of(frozen))} ms against ${Math.round(of(snapshots))} ms, ${freezes} pairs, with a writer`
  return [
    {
      name: 'frozen time of a volume, p50 / rbd snap create alone',
      ratio: median(frozen) / median(snapshots),
      bar: '≤ 2×',
      pass: median(frozen) / median(snapshots) <= 2,
      note: note(median),
    },
    {
      name: 'frozen time of a volume, p99 / rbd snap create alone',
      ratio: p99(frozen) / p99(snapshots),
      bar: '≤ 2×',
      pass: p99(frozen) / p99(snapshots) <= 2,
      note: note(p99),
    },
  ]
}

/** As the chart has them. */
function agents(kubeletRoot: string, sysRoot: string, sys: string): object {
  const pod = freezeAgentPod({ image: 'holdfast.local/holdfast:test', kubeletRoot })
  const [agent] = pod.containers
  const volumeMounts = [...agent.volumeMounts, { name: 'sys-of-the-kit', mountPath: sysRoot, readOnly: true }]
  const volumes = [...pod.volumes, { name: 'sys-of-the-kit', hostPath: { path: sys, type: 'Directory' } }]
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'freeze-agent', namespace },
    spec: {
      selector: { matchLabels: freezeAgent.labels },
      template: {
        metadata: { labels: freezeAgent.labels },
        spec: { ...pod, containers: [{ ...agent, imagePullPolicy: 'Never', volumeMounts }], volumes },
      },
    },
  }
}

function writer(claimName: string): object {
  const script = 'while :; do echo line >>/data/log && sync /data/log; sleep 0.05; done'
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'writer', namespace },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          image: 'holdfast.local/node:24',
          command: ['/bin/sh', '-c', script],
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
  }
}

/** Who writes to a frozen filesystem can't be killed: another process thaws, whatever becomes of this one. */
function thawInTheEnd(kubeletRoot: string): () => void {
  const volume = `${namespace}-frozen`
  const of = createHash('sha256').update(volume).digest('hex')
  const mount = join(kubeletRoot, 'plugins/kubernetes.io/csi/rbd.csi.ceph.com', of, 'globalmount', volume)
  const script = 'while kill -0 "$1"; do sleep 5; done; fsfreeze --unfreeze "$2"'
  spawn('/bin/sh', ['-c', script, 'sh', String(process.pid), mount], { detached: true, stdio: 'ignore' }).unref()
  return () => void spawnSync('fsfreeze', ['--unfreeze', mount])
}

// ---- How long many volumes take -------------------------------------------------------------------------------------

/** Four at once, one after the other, and one after the other with what Benji's Kubernetes tools call. */
function makespan(site: Site): readonly Result[] {
  const names = Array.from({ length: manyClaims }, (_, at) => `many-${String(at).padStart(2, '0')}`)
  const images = names.map((name) => site.claim(name, 8))
  const change = (): void => {
    for (const image of images) site.succeed('rbd', ['import-diff', '--no-progress', '-', image], noise(8 * MiB))
  }
  const ours = (concurrency: number): number => {
    configure(site, { pvcs: names.map((name) => `${namespace}/${name}`) }, { concurrency })
    return timed(() => site.succeed(process.execPath, [site.holdfast, 'run', 'volumes']))
  }
  const full = (measure: () => number): number => {
    for (const image of images) site.succeed('rbd', ['snap', 'purge', '--no-progress', image])
    change()
    return measure()
  }
  const differential = (measure: () => number): number => {
    change()
    return measure()
  }
  const original = originalOf(site, images)
  // Each differential run goes on from the full one before it.
  const theirs = { full: full(original), differential: differential(original) }
  const four = { full: full(() => ours(4)), differential: differential(() => ours(4)) }
  const one = { full: full(() => ours(1)), differential: differential(() => ours(1)) }
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  return (['full', 'differential'] as const).flatMap((mode) => [
    {
      name: `${manyClaims} volumes of 8 MiB, ${mode}, 4 at once / one after the other`,
      ratio: four[mode] / one[mode],
      bar: '≤ 0.7×',
      pass: four[mode] / one[mode] <= 0.7,
      note: `${seconds(four[mode])} against ${seconds(one[mode])}`,
    },
    {
      name: `${manyClaims} volumes of 8 MiB, ${mode}, 4 at once / what Benji's tools call, one after the other`,
      ratio: four[mode] / theirs[mode],
      bar: 'reported',
      pass: true,
      note: `${seconds(four[mode])} against ${seconds(theirs[mode])}; ours also verifies each, and writes its metadata anew`,
    },
  ])
}

/** The commands of Benji's Kubernetes tools, without the tools: they are not faster. */
function originalOf({ directory, benjiConfig, succeed }: Site, images: readonly string[]): () => number {
  const benji = (...args: readonly string[]): string => succeed('benji', ['-c', benjiConfig, '-m', ...args])
  let round = 0
  return () => {
    const snapshot = `b-2026-01-01T00:00:0${++round}Z`
    return timed(() => {
      for (const image of images) {
        const of = `${image}@${snapshot}`
        const [last] = JSON.parse(succeed('rbd', ['snap', 'ls', '--format=json', image])) as { name: string }[]
        const isBase = `volume == "${image}" and snapshot == "${last?.name}" and status == "valid"`
        const base = last && (JSON.parse(benji('ls', isBase)) as { versions: { uid: string }[] }).versions[0]
        succeed('rbd', ['snap', 'create', '--no-progress', of])
        const from = base ? ['--from-snap', last.name] : []
        const hints = join(directory, 'hints.json')
        writeFileSync(hints, succeed('rbd', ['diff', '--whole-object', '--format=json', ...from, of]))
        if (last) succeed('rbd', ['snap', 'rm', '--no-progress', `${image}@${last.name}`])
        const count = base ? ['--base-version', base.uid] : []
        benji('backup', '--snapshot', snapshot, '--rbd-hints', hints, ...count, `rbd:${of}`, image)
      }
    })
  }
}

/** `rbd import-diff` reads it: bytes that no block has yet. */
function noise(size: number): Buffer {
  const head = Buffer.alloc(17)
  head.write('w')
  head.writeBigUInt64LE(BigInt(size), 9)
  return Buffer.concat([Buffer.from('rbd diff v1\n'), head, randomBytes(size), Buffer.from('e')])
}

// ---- What a large diff costs ----------------------------------------------------------------------------------------

/** The same number of bytes in 100 pieces, and in 100,000. */
async function largeDiff(site: Site): Promise<Result> {
  const few = await peakOf(site, 'few', '4M')
  const many = await peakOf(site, 'many', '4K')
  const grown = (many - few) / MiB
  return {
    name: 'a diff of 100,000 extents: growth of RSS over one of 100, in MiB',
    ratio: grown,
    bar: '≤ 32',
    pass: grown <= 32,
    note: `${(many / MiB).toFixed(0)} MiB against ${(few / MiB).toFixed(0)} MiB of the whole process`,
  }
}

async function peakOf(site: Site, name: string, objectSize: string): Promise<number> {
  const image = `rbd/${namespace}-${name}-extents`
  const { succeed, env, directory } = site
  succeed('rbd', ['create', '--size', '400M', '--object-size', objectSize, image])
  try {
    const bench = ['bench', '--io-type', 'write', '--io-size', '4M', '--io-total', '400M', '--io-threads', '2']
    succeed('rbd', [...bench, image])
    configure(site, { images: [image] })
    const child = spawn(process.execPath, [site.holdfast, 'run', 'volumes'], { env, cwd: directory, stdio: 'ignore' })
    let peak = 0
    const look = setInterval(() => (peak = Math.max(peak, highWater(child.pid))), 20)
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    clearInterval(look)
    if (code !== 0) throw new Error(`the backup of ${image} ended with ${code}`)
    return peak
  } finally {
    spawnSync('rbd', ['snap', 'purge', '--no-progress', image], { env })
    spawnSync('rbd', ['rm', '--no-progress', image], { env })
  }
}

/** The most that a process has had so far, in bytes. */
function highWater(pid: number | undefined): number {
  try {
    const [, kib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kib ?? 0) * 1024
  } catch {
    return 0
  }
}

function timed(body: () => unknown): number {
  const began = performance.now()
  body()
  return performance.now() - began
}

function sorted(list: readonly number[]): readonly number[] {
  return list.toSorted((a, b) => a - b)
}

function p99(list: readonly number[]): number {
  return sorted(list)[Math.ceil(list.length * 0.99) - 1] ?? NaN
}
