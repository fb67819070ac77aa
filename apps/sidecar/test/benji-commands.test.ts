import { startFakeKubernetes, testClock, type FakeKubernetes } from '@holdfast/testing'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { runBenjiBackupPvc } from '../src/compat/benji-backup-pvc.ts'
import { parseBackupPvcOptions } from '../src/compat/benji-backup-pvc-options.ts'
import { runBenjiCommand } from '../src/compat/benji-command.ts'
import { runBenjiRestorePvc } from '../src/compat/benji-restore-pvc.ts'
import { runBenjiVersionsStatus } from '../src/compat/benji-versions-status.ts'
import { addClaim, benjiPrograms, startGateway, type BenjiPrograms } from './support/benji-programs.ts'
import { testIo, type CliOptions, type CliResult, type RunningCli } from './support/cli.ts'
import { workspace, type Workspace } from './support/workspace.ts'

type Command = 'backup' | 'restore' | 'command' | 'versions'

let here: Workspace
let programs: BenjiPrograms

beforeEach(() => {
  here = workspace()
  programs = benjiPrograms(here)
  vi.stubEnv('HOME', here.path)
})
afterEach(() => vi.unstubAllEnvs())

function start(command: Command, args: readonly string[], { env, ...options }: Partial<CliOptions> = {}): RunningCli {
  const { io, running } = testIo({
    cwd: here.path,
    env: { HOLDFAST_STATE_DIR: here.state, PATH: programs.PATH, HOME: here.path, ...env },
    ...options,
  })
  const output = {
    stdout: (chunk: Uint8Array) => io.stdout.write(Buffer.from(chunk).toString()),
    stderr: (chunk: Uint8Array) => io.stderr.write(Buffer.from(chunk).toString()),
  }
  const runs = {
    backup: () => runBenjiBackupPvc(args, io),
    restore: () => runBenjiRestorePvc(args, io),
    command: () => runBenjiCommand(args, io, output),
    versions: () => runBenjiVersionsStatus(args, io),
  }
  const result = runs[command]().then((code) => ({ code, stdout: running.stdout(), stderr: running.stderr() }))
  return { ...running, result }
}

function run(command: Command, args: readonly string[], options?: Partial<CliOptions>): Promise<CliResult> {
  return start(command, args, options).result
}

/** A cluster; `KUBECONFIG` leads to it. */
async function cluster(): Promise<{ readonly server: FakeKubernetes; readonly KUBECONFIG: string }> {
  const server = await startFakeKubernetes({ namespace: 'backup' })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return { server, KUBECONFIG: here.write('kubeconfig', server.kubeconfig()) }
}

describe('arguments', () => {
  test.each<[Command, readonly string[], number, RegExp]>([
    ['backup', ['-x'], 2, /^usage: benji-backup-pvc [^]*\nbenji-backup-pvc: error: unrecognized arguments: -x\n$/],
    ['backup', ['--n', 'web', '--no'], 2, /unrecognized arguments: --no/],
    ['backup', ['-n'], 2, /argument -n\/--namespace: expected one argument/],
    ['backup', ['-l', '--select-only'], 2, /argument -l\/--selector: expected one argument/],
    ['backup', ['--s'], 2, /ambiguous option: --s could match --selector, --source-compare, --select-only/],
    ['backup', ['--select-only=1'], 2, /ignored explicit argument '1'/],
    ['backup', ['-l', 'a=b', 'web/data'], 64, /either named or selected/],
    ['backup', ['--field-selector=a=b', 'web/data'], 64, /either named or selected/],
    ['backup', ['--all-namespaces', 'web/data'], 64, /either named or selected/],
    ['backup', ['--all-namespaces', '-n', 'web'], 64, /contradict each other/],
    ['backup', ['data'], 64, /the namespace of 'data' is missing/],
    ['backup', ['a/b/c'], 64, /'a\/b\/c' is no claim/],
    ['restore', ['U', 'web'], 2, /the following arguments are required: PVC_NAME/],
    ['restore', ['U', 'web', 'data', 'more'], 2, /unrecognized arguments: more/],
    ['restore', ['U', 'web', 'a/b'], 2, /'a\/b' is no name/],
    ['restore', ['U', 'web', 'data', '--restore-url-template', 'rbd:other/{image}'], 2, /does not lead to the image/],
    ['restore', ['U', 'web', 'data', '--restore-url-template=rbd:{pool}/{image}?mon_host=x'], 2, /'mon_host' belongs/],
    ['versions', ['now'], 2, /unrecognized arguments: now/],
  ])('%s %j ends with %i, and nothing was done', async (command, args, code, message) => {
    const result = await run(command, args)
    expect(result.stderr).toMatch(message)
    expect(result).toMatchObject({ code, stdout: '' })
    expect(programs.calls()).toEqual([])
  })

  test.each<Command>(['backup', 'restore', 'command', 'versions'])(
    '%s --help is on standard output',
    async (command) => {
      const result = await run(command, ['-h'])
      expect(result).toMatchObject({ code: 0, stderr: '' })
      expect(result.stdout).toMatch(/^usage: benji-[^]*\noptions:\n[^]*PROM_PUSH_GATEWAY[^]*exit codes: /)
      for (const line of result.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
    },
  )

  test('are read as argparse reads them', () => {
    const none = {
      help: false,
      namespace: undefined,
      selector: undefined,
      fieldSelector: undefined,
      claims: [],
      sourceCompare: false,
      selectOnly: false,
    }
    expect(parseBackupPvcOptions(['-nweb', '-l', 'a=b', '-l=c', '--selector', 'd in (e)', '--field', 'x=y'])).toEqual({
      ...none,
      namespace: 'web',
      selector: 'a=b,c,d in (e)',
      fieldSelector: 'x=y',
    })
    expect(parseBackupPvcOptions(['a/b', '-n', 'web', 'c', '--source-compare', '--', 'd'])).toEqual({
      ...none,
      namespace: 'web',
      claims: ['a/b', 'web/c', 'web/d'],
      sourceCompare: true,
    })
    expect(parseBackupPvcOptions(['--nonsense', '-h', '-x'])).toMatchObject({ help: true })
    expect(parseBackupPvcOptions(['-l', '-1'])).toMatchObject({ selector: '-1' })
  })
})

describe('benji-backup-pvc', () => {
  test('K11, K36: one claim that fails stops no other, and the exit code says partial; each has its metrics', async () => {
    const { server, KUBECONFIG } = await cluster()
    addClaim(server, 'bad', { image: 'csi-vol-bad' })
    addClaim(server, 'good', { image: 'csi-vol-good' })
    addClaim(server, 'files')
    addClaim(server, 'elsewhere', { namespace: 'shop', image: 'csi-vol-shop' })
    programs.on('rbd:rbd/csi-vol-bad@', { exit: 74, stderr: 'OSError: no space left' })
    const gateway = await startGateway()
    const env = { KUBECONFIG, PROM_PUSH_GATEWAY: gateway.address, BENJI_INSTANCE: 'east' }
    const { code, stdout, stderr } = await run('backup', ['-n', 'web'], { env })
    expect(stderr).toContain('no space left')
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
    expect(programs.versions()).toMatchObject([{ volume: 'web/good', labels: { 'benji-backup.me/instance': 'east' } }])
    const of = (claim: string): string | undefined =>
      gateway.pushes.find(({ url }) => url === `/metrics/job/east/pvc_name/${claim}/pvc_namespace/web`)?.body
    expect(of('bad')).toContain('benji_backup_status_failed{volume="web/bad"} 1')
    expect(of('good')).toContain('benji_backup_status_succeeded{volume="web/good"} 1')
    expect(gateway.pushes.filter(({ method }) => method === 'PUT')).toHaveLength(2)
    const history = await here.run(['history', '--json'])
    expect(JSON.parse(history.stdout)).toMatchObject([{ plan: 'benji-backup-pvc', status: 'partial' }])
  })

  test('named claims are backed up, one that does not exist fails (K12); without a gateway nothing is pushed', async () => {
    const { server, KUBECONFIG } = await cluster()
    addClaim(server, 'data', { image: 'csi-vol-data' })
    const env = { KUBECONFIG, PROM_PUSH_GATEWAY: '' }
    expect(await run('backup', ['web/data'], { env })).toMatchObject({ code: 0, stdout: '' })
    const missing = await run('backup', ['-n', 'web', 'gone'], { env })
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('there is no PersistentVolumeClaim gone in the namespace web')
    expect(programs.versions()).toHaveLength(1)
  })

  test('fault F40: nothing that matches is no success', async () => {
    const { KUBECONFIG } = await cluster()
    const { code, stderr } = await run('backup', ['--all-namespaces', '-l', 'tier=db'], { env: { KUBECONFIG } })
    expect(code).toBe(1)
    expect(stderr).toContain('NO_TARGETS')
  })

  test('K12b: --select-only prints what would be backed up, whatever else there is, and needs neither Benji nor Ceph', async () => {
    const { server, KUBECONFIG } = await cluster()
    addClaim(server, 'data', { image: 'csi-vol-data', labels: { tier: 'db' } })
    addClaim(server, 'files', { labels: { tier: 'db' } })
    addClaim(server, 'pending', { phase: 'Pending', labels: { tier: 'db' } })
    addClaim(server, 'gone', { image: 'csi-vol-gone', labels: { tier: 'db' } })
    server.objects.remove('pv', '', 'pv-web-gone')
    addClaim(server, 'other', { image: 'csi-vol-other' })
    const { code, stdout } = await run('backup', ['--select-only', '-l', 'tier=db'], { env: { KUBECONFIG } })
    expect(code).toBe(0)
    expect(stdout).toBe(
      `[\n  {\n    "pvc_name": "data",\n    "pvc_namespace": "web",\n    "pv_name": "pv-web-data"\n  }\n]\n`,
    )
    expect(programs.calls()).toEqual([])
  })

  test('two calls at once are both done, as two plans that know each other', async () => {
    const { server, KUBECONFIG } = await cluster()
    addClaim(server, 'data', { image: 'csi-vol-data' })
    addClaim(server, 'shop', { namespace: 'shop', image: 'csi-vol-shop' })
    const codes = await Promise.all([
      run('backup', ['-n', 'web'], { env: { KUBECONFIG } }),
      run('backup', ['-n', 'shop'], { env: { KUBECONFIG } }),
    ])
    expect(codes.map(({ code }) => code)).toEqual([0, 0])
    expect(programs.versions().map(({ volume }) => volume)).toEqual(expect.arrayContaining(['web/data', 'shop/shop']))
    const history = JSON.parse((await here.run(['history', '--json'])).stdout) as readonly { readonly plan: string }[]
    expect(history.map(({ plan }) => plan).toSorted()).toEqual(['benji-backup-pvc', 'benji-backup-pvc-2'])
  })

  test('without a cluster it says so', async () => {
    const { code, stderr } = await run('backup', [])
    expect(code).toBe(1)
    expect(stderr).toContain('there is no Kubernetes here')
  })
})

describe('benji-command', () => {
  test("K29: Benji's exit code and output pass through, and both flags are pushed (K26)", async () => {
    const gateway = await startGateway()
    programs.on('batch-scrub', { exit: 65, stderr: '{"event": "ScrubbingError: bad", "level": "error"}' })
    const env = { PROM_PUSH_GATEWAY: gateway.address, BENJI_LOG_LEVEL: 'warning' }
    const failed = await run('command', ['batch-scrub', 'volume == "a/b"'], { env })
    expect(failed.code).toBe(65)
    expect(failed.stderr).toContain('{"event": "ScrubbingError: bad", "level": "error"}\n')
    expect(programs.calls()).toEqual(['benji --machine-output --log-level WARNING batch-scrub volume == "a/b"'])
    expect(gateway.pushes[0]?.body).toMatch(
      /status_succeeded\{command="batch-scrub volume == \\"a\/b\\""\} 0\n[^]*status_failed\{.*\} 1\n/,
    )
    const listed = await run('command', ['ls', '--include-labels'], { env })
    expect(listed).toMatchObject({
      code: 0,
      stdout: '{"metadata_version":"3.0.0","versions":[]}\n',
    })
    expect(gateway.pushes[1]?.url).toBe('/metrics/job/benji-k8s/command/ls%20--include-labels')
    const history = await here.run(['history', '--json'])
    expect(JSON.parse(history.stdout)).toMatchObject([
      { status: 'succeeded' },
      { plan: 'benji-command', status: 'failed' },
    ])
  })

  test('without a command it is for Benji to say what is wrong', async () => {
    programs.on('benji', { exit: 64, stderr: 'usage: benji' })
    const { code, stderr } = await run('command', [])
    expect(code).toBe(64)
    expect(stderr).toContain('usage: benji\n')
  })

  test('enforce is done as it is told: nothing is protected', async () => {
    expect((await run('command', ['enforce', 'latest1'])).code).toBe(0)
    expect(programs.calls()).toEqual(['benji --machine-output --log-level INFO enforce latest1'])
  })

  test('one command does not wait for another', async () => {
    programs.on('deep-scrub', { hang: true })
    const scrub = start('command', ['deep-scrub', 'U'])
    await vi.waitFor(() => expect(programs.calls()).toHaveLength(1))
    expect((await run('command', ['ls'])).code).toBe(0)
    scrub.signal('SIGTERM')
    const { code } = await scrub.result
    expect(code).toBe(143)
    // C6: on SIGINT it releases its locks.
    expect(programs.calls()).toContain('benji got SIGINT')
  })

  test('a Benji that is not there is one clear line', async () => {
    const { code, stderr } = await run('command', ['ls'], { env: { PATH: '/usr/bin:/bin' } })
    expect(code).toBe(1)
    expect(stderr).toContain('EXEC_NOT_FOUND')
  })
})

describe('benji-versions-status', () => {
  test('counts, and pushes the old gauges', async () => {
    const gateway = await startGateway()
    programs.addVersion({ uid: 'a', status: 'invalid' })
    programs.addVersion({ uid: 'b', status: 'incomplete' })
    programs.addVersion({ uid: 'c', status: 'incomplete', date: '2026-01-02T23:00:00.000000Z' })
    programs.addVersion({ uid: 'd' })
    const clock = testClock({ now: '2026-01-03T00:00:00Z' })
    const env = { PROM_PUSH_GATEWAY: `http://${gateway.address}` }
    const { code, stdout } = await run('versions', [], { env, clock })
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(gateway.pushes).toMatchObject([{ method: 'PUT', url: '/metrics/job/benji-k8s' }])
    expect(gateway.pushes[0]?.body).toContain('\nbenji_invalid_versions 1\n')
    expect(gateway.pushes[0]?.body).toContain('\nbenji_older_incomplete_versions 1\n')
  })

  test('K30: what is not known is taken away, and the exit code says so', async () => {
    const gateway = await startGateway()
    programs.on(' ls', { exit: 70, stderr: '{"event": "RuntimeError: no database", "level": "error"}' })
    const { code } = await run('versions', [], { env: { PROM_PUSH_GATEWAY: gateway.address } })
    expect(code).toBe(1)
    expect(gateway.pushes).toMatchObject([{ method: 'DELETE', url: '/metrics/job/benji-k8s' }])
  })
})

describe('benji-restore-pvc', () => {
  const restores = (): readonly string[] => programs.calls().filter((call) => call.includes(' restore '))

  test('a claim that is there is overwritten with -f only; the io is what the template says', async () => {
    const { server, KUBECONFIG } = await cluster()
    addClaim(server, 'data', { image: 'csi-vol-data' })
    programs.addVersion({ uid: 'U', size: 2 ** 30 })
    const env = { KUBECONFIG }
    const refused = await run('restore', ['U', 'web', 'data'], { env })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('the claim web/data is there already')
    expect(restores()).toEqual([])
    const forced = await run('restore', ['-f', '--pvc-storage-class', 'fast', 'U', 'web', 'data'], { env })
    expect(forced).toMatchObject({ code: 0, stdout: '' })
    const template = ['--restore-url-template', 'pool1:{pool}/{namespace}/{image}']
    expect((await run('restore', ['U', 'web', 'data', '--force', ...template], { env })).code).toBe(0)
    expect(restores()).toEqual([
      expect.stringMatching(/ U rbd:rbd\/csi-vol-data$/),
      expect.stringMatching(/ U pool1:rbd\/csi-vol-data$/),
    ])
  })

  test('a claim that is not bound in time is 73', async () => {
    const { server, KUBECONFIG } = await cluster()
    addClaim(server, 'data', { phase: 'Pending' })
    server.objects.put({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'ceph' },
      provisioner: 'rbd.csi.ceph.com',
      volumeBindingMode: 'Immediate',
    })
    programs.addVersion({ uid: 'U' })
    const clock = testClock()
    const going = start('restore', ['-f', 'U', 'web', 'data'], { env: { KUBECONFIG }, clock })
    let code: number | undefined
    void going.result.then((result) => (code = result.code))
    for (let rounds = 0; code === undefined && rounds < 2000; rounds++) {
      await clock.advance('5s')
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(going.stderr()).toContain('VOLUME_NOT_BOUND')
    expect(code).toBe(73)
  })

  test('a version that is not there is 1', async () => {
    const { KUBECONFIG } = await cluster()
    const { code, stderr } = await run('restore', ['U', 'web', 'data'], { env: { KUBECONFIG } })
    expect(code).toBe(1)
    expect(stderr).toContain('Benji has no version U')
  })
})
