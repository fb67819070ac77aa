// Four gigabytes from a container into the store, and a sink that is ten times slower than its source: in a pod, with
// the memory that the kernel has counted.
import { beforeAll, expect, test } from 'vitest'
import { apply, kubectl } from './support/kubectl.ts'
import { images, useNamespace } from './support/namespace.ts'
import { execIn, ready } from './support/pods.ts'
import { account, configMap, engineRules, rule, sidecarTemplate } from './support/sidecar.ts'

const namespace = useNamespace('large')
const blocks = 64
const blockMiB = 64
/** MiB of memory that the process may ever have had. */
const mostMemory = 200

const config = `
import { readFileSync } from 'node:fs'
import { defineConfig, defineHook } from '@holdfast/sdk'

const target = { pod: process.env.POD_NAME, container: 'target' }
const dump = ['/bin/sh', '-c', 'n=0; while [ $n -lt ${blocks} ]; do cat /data/block || exit 1; n=$((n + 1)); done']
const peak = defineHook('onFinish', ({ log }) => {
  const [, kib] = /VmHWM:\\s+(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
  log.info('peak', { peakMiB: Math.round(kib / 1024) })
}, { name: 'peak' })
const big = defineHook('backups', ({ createArtifact, exec }) =>
  createArtifact('dump', (stdout) => exec.container(target, { command: dump, stdout })), { name: 'big' })
const slow = defineHook('backups', async ({ exec, clock, log }) => {
  let bytes = 0
  let due = performance.now()
  // 24 MiB a second; the source makes hundreds.
  const write = async (chunk) => {
    bytes += chunk.length
    due += chunk.length / (24 * 1024 * 1024) * 1000
    const ahead = due - performance.now()
    if (ahead > 5) await clock.sleep(ahead)
  }
  const { bytes: told } = await exec.container(target, { command: ['head', '-c', '${256 * 2 ** 20}', '/dev/zero'], stdout: { write } })
  log.info('taken', { bytes, told })
}, { name: 'slow' })

export default defineConfig({
  storage: undefined,
  plans: [
    { name: 'big', use: [big, peak] },
    { name: 'slow', use: [slow, peak] },
  ],
})
`

beforeAll(async () => {
  const container = {
    name: 'target',
    image: images.busybox,
    imagePullPolicy: 'Never',
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  }
  const template = sidecarTemplate({ config: 'large', containers: [container], command: ['sleep', 'infinity'] })
  const spec = template.spec as { volumes: object[] }
  await apply(
    ...account(namespace, [...engineRules, rule('', 'pods/exec', 'create', 'get')]),
    configMap(namespace, 'large', { 'holdfast.config.ts': config }),
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'large', namespace },
      spec: { ...spec, volumes: [...spec.volumes, { name: 'data', emptyDir: {} }] },
    },
  )
  await ready(namespace, 'large')
  const make = `head -c ${blockMiB * 2 ** 20} /dev/urandom > /data/block`
  await kubectl(['-n', namespace, 'exec', 'large', '-c', 'target', '--', '/bin/sh', '-c', make])
})

interface Line {
  readonly msg?: string
  readonly message?: string
  readonly peakMiB?: number
  readonly bytes?: number
  readonly told?: number
}

async function runPlan(
  plan: string,
): Promise<{ readonly result: { readonly status: string }; readonly lines: readonly Line[] }> {
  const { code, stdout, stderr } = await execIn(namespace, 'large', 'holdfast', ['holdfast', 'run', plan, '--json'])
  const lines = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return { result: JSON.parse(stdout) as { status: string }, lines }
}

const peakOf = (lines: readonly Line[]): number => Number(lines.find(({ peakMiB }) => peakMiB !== undefined)?.peakMiB)

test('fault F26: 4 GiB of noise arrive byte for byte, in less than 200 MiB of memory', async () => {
  const { result, lines } = await runPlan('big')
  expect(result).toMatchObject({ status: 'succeeded' })
  const listed = await execIn(namespace, 'large', 'holdfast', ['holdfast', 'list', '--json'])
  const [artifact] = JSON.parse(listed.stdout) as { size: number; sha256: string }[]
  const loop = `n=0; while [ $n -lt ${blocks} ]; do cat /data/block; n=$((n + 1)); done | sha256sum`
  const digest = await execIn(namespace, 'large', 'target', ['/bin/sh', '-c', loop])
  expect(artifact).toMatchObject({ size: blocks * blockMiB * 2 ** 20, sha256: digest.stdout.split(' ')[0] })
  expect(peakOf(lines)).toBeLessThan(mostMemory)
}, 600_000)

test('fault F26: a sink ten times slower than its source does not make memory grow', async () => {
  const { lines } = await runPlan('slow')
  expect(lines.find(({ told }) => told !== undefined)).toMatchObject({ bytes: 256 * 2 ** 20, told: 256 * 2 ** 20 })
  expect(peakOf(lines)).toBeLessThan(mostMemory)
})
