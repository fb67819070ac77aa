// The real kubectl takes the fake server for a cluster.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kubernetesTool } from '../../../scripts/kubernetes-tools.ts'
import { startFakeKubernetes, type FakeKubernetes } from '../src/index.ts'

interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

// Fails and says how to get it where there is none.
const kubectl = await kubernetesTool('kubectl')

describe.each(['http', 'https'] as const)('over %s', (scheme) => {
  let server: FakeKubernetes
  let home: string
  beforeAll(async () => {
    server = await startFakeKubernetes(scheme === 'https' ? { tls: true } : {})
    home = mkdtempSync(join(tmpdir(), 'fake-kubernetes-test-'))
    writeFileSync(join(home, 'config'), server.kubeconfig())
    server.addPod({ name: 'web', labels: { app: 'web' }, containers: [{ name: 'app' }] })
    server.addPod({ name: 'done', containers: [{ name: 'app', state: 'terminated' }] })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    rmSync(home, { recursive: true })
  })

  function run(args: readonly string[], stdin?: string): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const child = spawn(kubectl, args, {
        env: { PATH: process.env['PATH'], HOME: home, KUBECONFIG: join(home, 'config') },
      })
      let stdout = ''
      let stderr = ''
      child.stdout.on('data', (chunk) => (stdout += String(chunk)))
      child.stderr.on('data', (chunk) => (stderr += String(chunk)))
      child.once('error', reject)
      child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
      child.stdin.end(stdin)
    })
  }
  const manifest = (data: object): string =>
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data })

  test('get: as a table, by label, as YAML', async () => {
    expect((await run(['get', 'pods'])).stdout).toMatch(/NAME +AGE\ndone .*\nweb /)
    expect((await run(['get', 'pods', '-A', '-l', 'app=web', '-o', 'name'])).stdout).toBe('pod/web\n')
    expect((await run(['get', 'pod', 'web', '-o', 'yaml'])).stdout).toContain('phase: Running')
    expect(await run(['get', 'pod', 'no'])).toMatchObject({
      exitCode: 1,
      stderr: 'Error from server (NotFound): pods "no" not found\n',
    })
  })

  test('create, apply, patch, delete', async () => {
    expect((await run(['create', 'configmap', 'y', '--from-literal=a=b'])).stderr).toBe('')
    expect(server.objects.get('cm', 'default', 'y')).toMatchObject({ data: { a: 'b' } })
    expect((await run(['create', 'configmap', 'y'])).stderr).toContain('configmaps "y" already exists')
    expect((await run(['apply', '-f', '-'], manifest({ a: '1', b: '2' }))).stdout).toBe('configmap/x created\n')
    expect((await run(['apply', '-f', '-'], manifest({ a: '1', b: '2' }))).stdout).toBe('configmap/x unchanged\n')
    expect((await run(['apply', '-f', '-'], manifest({ a: '3' }))).stdout).toBe('configmap/x configured\n')
    expect(server.objects.get('cm', 'default', 'x')?.['data']).toEqual({ a: '3' })
    expect((await run(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifest({ c: '4' }))).stderr).toBe(
      '',
    )
    expect((await run(['label', 'configmap', 'x', 'mine=yes'])).stdout).toBe('configmap/x labeled\n')
    expect(server.objects.get('cm', 'default', 'x')).toMatchObject({
      data: { c: '4' },
      metadata: { labels: { mine: 'yes' } },
    })
    expect((await run(['delete', 'configmap', 'x', 'y'])).exitCode).toBe(0)
    expect(server.objects.list('configmaps')).toEqual([])
  })

  test('exec: streams, exit code, stdin with its end', async () => {
    expect(await run(['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 9'])).toEqual({
      exitCode: 9,
      stdout: 'out\n',
      stderr: 'err\ncommand terminated with exit code 9\n',
    })
    const counted = await run(['exec', '-i', 'web', '--', 'wc', '-c'], 'x'.repeat(1_000_000))
    expect({ ...counted, stdout: counted.stdout.trim() }).toEqual({ exitCode: 0, stdout: '1000000', stderr: '' })
    expect(server.execs.at(-1)).toMatchObject({ protocol: 'v5.channel.k8s.io', stdin: 'half-closed' })
  })

  test('exec that is refused', async () => {
    expect((await run(['exec', 'web', '--', 'nosuch'])).stderr).toContain('exec: "nosuch": executable file not found')
    expect((await run(['exec', 'done', '--', 'true'])).stderr).toContain(
      'cannot exec into a container in a completed pod',
    )
    expect((await run(['exec', 'no', '--', 'true'])).stderr).toContain('pods "no" not found')
    // A clean close would not do here: without a status, kubectl takes it for success.
    const day = server.misbehaveExec({}, 'close-1011')
    expect(await run(['exec', 'web', '--', 'true'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('websocket: close 1011'),
    })
    day.end()
  })

  test('auth: can-i and whoami', async () => {
    const canI = async (): Promise<string> =>
      (await run(['auth', 'can-i', 'create', 'pods', '--subresource=exec'])).stdout
    expect(await canI()).toBe('yes\n')
    server.authorize.deny({ verb: 'create', resource: 'pods/exec' })
    expect(await canI()).toBe('no\n')
    server.authorize.allowAll()
    expect((await run(['auth', 'whoami'])).stdout).toContain('system:serviceaccount:default:holdfast')
    server.authorize.deny({ verb: 'list', resource: 'pods' })
    expect((await run(['get', 'pods'])).stderr).toBe(
      'Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:default:holdfast" cannot list resource "pods" in API group "" in the namespace "default"\n',
    )
    server.authorize.allowAll()
  })
})
