// The container is killed and its state directory is lost, as on the container's own layer: what the cluster keeps of its
// undos gives everything back.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { advanceUntil, startFakeKubernetes, testClock, type FakeKubernetes } from '@holdfast/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { engineFor } from './crash/engine.ts'
import { heldIn } from './crash/world.ts'
import { buildProgram } from './crash/program.ts'
import { startProcess } from './support/process.ts'
import { shop, type Workspace } from './support/workspace.ts'

const isLong = process.env['HOLDFAST_TEST_LONG'] !== undefined
/** The others are swept by `npm run test:long`. */
const few = new Set(['after pause', 'before freeze', 'in the middle of the artifact', 'before thaw', 'after resume'])

let server: FakeKubernetes
beforeEach(async () => {
  server = await startFakeKubernetes({ namespace: 'shop' })
  onTestFinished(() => server[Symbol.asyncDispose]())
})

const mirrored = (): readonly unknown[] =>
  server.objects.list('configmaps', 'shop').filter(({ metadata }) => metadata.labels?.['holdfast.dev/undo'] === 'true')

describe('commands', () => {
  const podEnv = (here: Workspace, pod = 'web-0'): NodeJS.ProcessEnv => {
    here.write('kubeconfig', server.kubeconfig())
    const uid = server.objects.get('pods', 'shop', pod)?.metadata.uid ?? addPod(pod)
    return {
      KUBECONFIG: here.at('kubeconfig'),
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      POD_NAME: pod,
      POD_UID: uid,
      HOLDFAST_CONTAINER_NAME: 'holdfast',
      TARGET_CONTAINER: 'app',
    }
  }

  /** A pod of the Deployment `web`. */
  const addPod = (name: string): string => {
    const pod = server.addPod({ name, labels: { 'pod-template-hash': '5d8f' }, containers: [{ name: 'holdfast' }] })
    const keeper = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d8f', uid: 'r', controller: true }
    server.objects.put({ ...pod, metadata: { ...pod.metadata, ownerReferences: [keeper] } as typeof pod.metadata })
    return pod.metadata.uid
  }

  /** A run of scripts that holds something, whose process was killed, and whose state is lost. */
  async function heldAndKilled(pod?: string): Promise<{ readonly here: Workspace; readonly env: NodeJS.ProcessEnv }> {
    const here = shop()
    here.script('before_backups/10-token', 'save_var token "it is \\"ours\\""')
    here.script('before_backups/20-freeze', `touch ${here.at('frozen')}`)
    here.script('before_backups/20-freeze.undo', `load_var token > ${here.at('thawed')}; rm -f ${here.at('frozen')}`)
    here.script('backups/10-dump', `touch ${here.at('running')}; sleep 30`)
    const env = podEnv(here, pod)
    const first = startProcess('holdfast', ['run', 'shop'], {
      cwd: here.path,
      env: { HOLDFAST_STATE_DIR: here.state, ...env },
    })
    await vi.waitFor(() => expect(existsSync(here.at('running')), first.stderr()).toBe(true), { timeout: 15_000 })
    first.child.kill('SIGKILL')
    await first.ended
    rmSync(here.state, { recursive: true })
    // Nothing but the cluster knows of it.
    here.script('backups/10-dump', 'printf x | save_artifact orders')
    rmSync(here.at('scripts/before_backups'), { recursive: true })
    return { here, env }
  }

  test('fault F3: X.undo runs from the cluster in an empty state directory, with the variables of its run', async () => {
    const { here, env } = await heldAndKilled()
    expect(mirrored()).toHaveLength(1)
    expect(existsSync(here.at('frozen'))).toBe(true)
    const { code, stderr } = await here.run(['run', 'shop'], { env })
    expect(code, stderr).toBe(0)
    expect(existsSync(here.at('frozen'))).toBe(false)
    expect(readFileSync(here.at('thawed'), 'utf8').trim()).toBe('it is "ours"')
    expect(mirrored()).toEqual([])
    const history = JSON.parse((await here.run(['history', '--json'])).stdout) as { trigger: string; status: string }[]
    const runs = history.filter(({ trigger }) => trigger === 'manual').map(({ status }) => status)
    expect(runs.toSorted()).toEqual(['aborted', 'succeeded'])
  })

  test('undo list shows what another pod left, undo run gives it back once that pod is gone, or by force', async () => {
    const { here } = await heldAndKilled('web-a')
    const env = podEnv(here, 'web-b')
    const listed = JSON.parse((await here.run(['undo', 'list', '--json'], { env })).stdout) as { id: string }[]
    expect(listed).toMatchObject([{ undo: 'script', plan: 'shop', state: 'armed', inCluster: true, pod: 'web-a' }])
    expect((await here.run(['undo', 'list'], { env })).stdout).toMatch(/POD[^\n]*\n[0-9a-f]{8} +script[^\n]* web-a /)
    const refused = await here.run(['undo', 'run', '--all', '--yes'], { env })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('UNDO_OWNED')
    expect(existsSync(here.at('frozen'))).toBe(true)
    server.objects.remove('pods', 'shop', 'web-a')
    const given = await here.run(['undo', 'run', listed[0]!.id.slice(0, 8), '--yes'], { env })
    expect(given.code, given.stderr).toBe(0)
    expect(existsSync(here.at('frozen'))).toBe(false)
    expect(mirrored()).toEqual([])
    expect((await here.run(['undo', 'list'], { env })).stdout).toContain('Nothing is pending')
  })

  /** As another pod has armed it. */
  function leftInCluster(id: string, damage: object = {}): void {
    const undo = { id, plan: 'shop', instance: 'default-0', participant: 'p', undo: 'thaw', input: '{}' }
    const run = { id: 'r', plan: 'shop', attempt: 1, trigger: 'manual', dryRun: false, scheduledFor: new Date() }
    const owner = { id: 'o', pid: 1, host: 'h', boot: 'b', startedAt: new Date() }
    const armed = { ...undo, armedAt: new Date(), ...damage }
    const stored = { schema: 1, undo: armed, run, runStartedAt: new Date(), vars: {}, owner }
    const labels = { 'holdfast.dev/undo': 'true', 'holdfast.dev/instance': 'default-0' }
    server.objects.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `holdfast-undo-${id}`, namespace: 'shop', labels },
      data: { 'undo.json': JSON.stringify(stored) },
    })
  }

  test('undo drop forgets what was given back by hand, in the cluster too', async () => {
    const here = shop()
    const env = podEnv(here)
    leftInCluster('a1b2')
    expect((await here.run(['undo', 'drop', 'a1b2', '--yes'], { env })).stdout).toContain('thaw of p is forgotten')
    expect(mirrored()).toEqual([])
  })

  test('what can not be read in the cluster keeps nobody from seeing the rest, and nobody says that all is well', async () => {
    const here = shop()
    const env = podEnv(here)
    leftInCluster('a1b2')
    leftInCluster('c3d4', { armedAt: undefined })
    leftInCluster('e5f6', { input: '{' })
    for (const more of [[], ['--json']]) {
      const { code, stdout, stderr } = await here.run(['undo', 'list', ...more], { env })
      expect([code, stdout], stderr).toEqual([0, expect.stringContaining('a1b2')])
      expect(stdout).not.toMatch(/c3d4|e5f6/)
      expect(stderr).toMatch(/holdfast-undo-c3d4[^]*holdfast-undo-e5f6/)
    }
    await here.run(['undo', 'drop', 'a1b2', '--yes'], { env })
    const { stdout } = await here.run(['undo', 'list'], { env })
    expect(stdout).toContain('What other pods have taken is not known')
  })

  test('fault F29: undo list waits five seconds for an API server that does not answer, and does not say that all is well', async () => {
    const here = shop()
    const env = podEnv(here)
    server.misbehave({ path: /./ }, 'half-open')
    const clock = testClock()
    const listing = here.start(['undo', 'list'], { env, clock })
    const { code, stdout } = await advanceUntil(clock, listing.result, '20ms')
    expect(clock.monotonic()).toBeLessThan(6000)
    expect(code).toBe(0)
    expect(stdout).not.toContain('all that was taken has been given back')
    expect(stdout).toContain('the cluster could not be asked')
  })

  test('without the right, or without the API server, undo list shows the journal', async () => {
    const here = shop()
    const env = podEnv(here)
    server.authorize.deny({ verb: 'list', resource: 'configmaps' })
    const forbidden = await here.run(['undo', 'list'], { env })
    expect([forbidden.code, forbidden.stdout, forbidden.stderr]).toEqual([
      0,
      expect.stringContaining('Nothing is pending'),
      '',
    ])
  })
})

describe('fault F3: killed at every effect, and the state directory lost', () => {
  let root: string
  let program: string
  let env: NodeJS.ProcessEnv
  let scripts: string
  beforeAll(async () => {
    root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-mirror-'))
    ;({ program, env } = await buildProgram(root))
    scripts = join(root, 'scripts')
    const write = (name: string, text: string): void => {
      mkdirSync(join(scripts, name, '..'), { recursive: true })
      writeFileSync(join(scripts, name), `#!/bin/sh\nset -e\n${text}\n`, { mode: 0o755 })
    }
    write('before_backups/10-lock', 'touch "$HOLDFAST_TEST_WORLD/held-by-script"')
    write('before_backups/10-lock.undo', 'rm -f "$HOLDFAST_TEST_WORLD/held-by-script"')
    write('backups/10-nothing', 'true')
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  const runAndDie = (place: string, dieAt: number): Promise<{ points?: readonly string[]; signal?: string }> =>
    new Promise((resolve, reject) => {
      const args = [program, join(place, 'state'), join(place, 'world'), scripts, String(dieAt), server.url]
      execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
        if (error?.signal === 'SIGKILL') resolve({ signal: 'SIGKILL' })
        else if (error) reject(new Error(`${error.message}\n${stderr}`))
        else resolve(JSON.parse(stdout) as { points: readonly string[] })
      })
    })
  const placeFor = (name: string): string => {
    const place = join(root, name)
    for (const part of ['state', 'world', 'store']) mkdirSync(join(place, part), { recursive: true })
    return place
  }

  test('nothing stands still after the next start', { timeout: 60_000 }, async () => {
    server.objects.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web-0', namespace: 'shop', uid: 'web-0-uid' },
    })
    const { points = [] } = await runAndDie(placeFor('whole'), 0)
    const all = points.flatMap((name, index) => (name.includes('write') ? [] : [{ name, number: index + 1 }]))
    expect(all.length).toBeGreaterThan(10)
    const effects = isLong ? all : all.filter(({ name }) => few.delete(name))
    expect(few.size === 0 || isLong).toBe(true)
    for (const { name, number } of effects) {
      const place = placeFor(`at-${number}`)
      expect(await runAndDie(place, number)).toEqual({ signal: 'SIGKILL' })
      rmSync(join(place, 'state'), { recursive: true })
      const options = { state: join(place, 'state'), world: join(place, 'world'), scripts, point: () => {} }
      const engine = await engineFor({ ...options, generation: 'two', api: server.url })
      const { undos } = await engine.recover()
      expect(
        undos.filter(({ result }) => result !== 'done'),
        name,
      ).toEqual([])
      expect(heldIn(join(place, 'world')), `killed ${name}`).toEqual([])
      await engine.finishRecovery()
      expect(
        engine.journal.runs().map(({ status }) => status),
        name,
      ).toEqual(undos.length > 0 ? ['aborted'] : [])
      expect(mirrored(), name).toEqual([])
      engine.close()
    }
  })
})
