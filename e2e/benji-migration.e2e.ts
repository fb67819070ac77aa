// Benji's crontab and Benji's commands, as somebody brings them who comes from there.
import { randomBytes } from 'node:crypto'
import { connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { useSite, type RunReport } from './support/benji.ts'
import { MiB, readImage, snapshotsOf, writeImage } from './support/ceph.ts'
import { kubectl, run, waitFor } from './support/kubectl.ts'
import { readLog } from './support/logs.ts'
import { useNamespace } from './support/namespace.ts'
import { readerOf } from './support/page.ts'
import { eventsOf, useVolumes, type VolumeOfClaim } from './support/volumes.ts'

// The crontab says so.
const web = 'web'
const gatewayPort = 9191

const namespace = useNamespace('migration')
const volumes = useVolumes(namespace)
const ofWeb = useVolumes(web)
const site = useSite()
const { benji, project } = site

const crontab = `PROM_PUSH_GATEWAY=:${gatewayPort}
BENJI_INSTANCE:-benji-east
15  * * * * root benji-backup-pvc --all-namespaces -l 'tier in (db,queue)'
40  */2 * * * root benji-backup-pvc --namespace web
10 02 * * * root benji-command enforce latest2,days14,months6 'labels["benji-backup.me/instance"] == "benji-east"'
20 02 * * * root benji-command cleanup
45 06 * * * root benji-versions-status
00 07 * * 0 root benji-command batch-deep-scrub --version-percentage 20 --block-percentage 50 'labels["benji-backup.me/instance"] == "benji-east"'
`

let gateway: Server
let database: VolumeOfClaim

beforeAll(async () => {
  await kubectl(['create', 'namespace', web])
  gateway = createServer((client) => {
    const upstream = connect(Number(new URL(process.env['PUSHGATEWAY_URL'] ?? '').port), '127.0.0.1')
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve) => gateway.listen(gatewayPort, '127.0.0.1', resolve))
  // Where Benji looks by itself.
  project.write('.benji.yaml', project.read('benji/benji.yaml'))
  project.write('crontab', crontab)
  database = await volumes.create('database', { labels: { tier: 'db' } })
  await volumes.create('cache', { labels: { tier: 'web' } })
  await ofWeb.create('pages')
  await writeImage(database.image, { at: 4 * MiB, bytes: randomBytes(MiB) })
})
afterAll(async () => {
  gateway.close()
  await run('kubectl', ['delete', 'namespace', web, '--wait=false'])
})

describe('the crontab, as it stands', () => {
  let names: readonly string[] = []

  test('is a configuration: six plans, named after their commands', async () => {
    const validated = await site.run('holdfast', ['validate', '--config', 'crontab'])
    expect({ code: validated.code, stderr: validated.code === 0 ? '' : validated.stderr }).toEqual({
      code: 0,
      stderr: '',
    })
    const { stdout } = await site.run('holdfast', ['explain', '--config', 'crontab', '--json'])
    names = (JSON.parse(stdout) as { plan: string }[]).map(({ plan }) => plan)
    const tools = ['backup-pvc', 'backup-pvc', 'command', 'command', 'versions-status', 'command']
    expect(names.map((name) => name.replace(/-[0-9a-f]{6}$/, ''))).toEqual(tools.map((tool) => `benji-${tool}`))
    expect(new Set(names).size).toBe(6)
  })

  test('each of its lines does what it did, and pushes what it pushed', async () => {
    for (const name of names) {
      const report = await runPlan(name)
      expect({ name, status: report.status, log: report.code === 0 ? '' : report.log }).toMatchObject({ log: '' })
    }
    // All namespaces are asked for: other tests may have claims with such labels, too.
    const isOurs = ({ volume }: { readonly volume: string }): boolean =>
      [namespace, web].includes(volume.split('/', 1)[0] ?? '')
    const versions = (await benji.ls()).filter(isOurs)
    expect(versions.map(({ volume }) => volume).toSorted()).toEqual([database.volume, `${web}/pages`])
    for (const { labels } of versions) expect(labels['benji-backup.me/instance']).toBe('benji-east')
    expect(await eventsOf(namespace, 'database')).toMatchObject([{ reason: 'SuccessfulBackup' }])
    expect(await eventsOf(namespace, 'cache')).toEqual([])
    const metrics = await (await fetch(`${process.env['PUSHGATEWAY_URL']}/metrics`)).text()
    const claim = { pvc_name: 'database', pvc_namespace: namespace, volume: database.volume }
    for (const [name, labels, value] of [
      ['benji_backup_status_succeeded', claim, 1],
      ['benji_backup_status_failed', claim, 0],
      ['benji_command_status_succeeded', { command: 'cleanup' }, 1],
      ['benji_invalid_versions', {}, 0],
      ['benji_older_incomplete_versions', {}, 0],
    ] as const) {
      const all = Object.entries({ ...labels, instance: '', job: 'benji-east' }).map(
        ([label, of]) => `${label}="${of}"`,
      )
      expect(metrics).toContain(`${name}{${all.toSorted().join()}} ${value}\n`)
    }
  })

  test('is what the daemon runs by', async () => {
    const daemon = site.start('holdfast', ['daemon', '--config', 'crontab'], { HOLDFAST_LISTEN: '0' })
    try {
      await waitFor('the daemon to be ready', async () => readLog(daemon.output()).some(({ msg }) => msg === 'ready'))
    } finally {
      daemon.kill('SIGTERM')
    }
    expect(await daemon.ended).toBe(0)
  })
})

async function runPlan(name: string): Promise<RunReport & { readonly code: number; readonly log: string }> {
  const { code, stdout, stderr } = await site.run('holdfast', ['run', name, '--config', 'crontab', '--json'])
  if (!stdout.startsWith('{')) throw new Error(`holdfast run ${name} ended with ${code}: ${stderr}`)
  return { ...(JSON.parse(stdout) as RunReport), code, log: stderr }
}

describe('the commands, by hand', () => {
  const env = { BENJI_INSTANCE: 'benji-east' }

  test('docs/migrate-from-benji-k8s.md: benji-backup-pvc says what it would, and backs up', async () => {
    const selected = await site.run('benji-backup-pvc', ['-n', namespace, '-l', 'tier=db', '--select-only'], env)
    expect(JSON.parse(selected.stdout)).toEqual([
      { pvc_name: 'database', pvc_namespace: namespace, pv_name: database.pv },
    ])
    const pod = { KUBECONFIG: process.env['KUBECONFIG'], POD_NAMESPACE: namespace, HOLDFAST_CONFIG: 'crontab' }
    const { type } = readerOf({
      page: 'docs/migrate-from-benji-k8s.md',
      cwd: project.path,
      env: { ...env, ...pod, HOLDFAST_STATE_DIR: project.at('state') },
      here: { 'web/data': database.volume },
    })
    expect(await type('look')).toContain('"pvc_name": "database"')
    const before = await snapshotsOf(database.image)
    expect(await type('back-up')).toMatch(/^0$/m)
    expect(await snapshotsOf(database.image)).toHaveLength(1)
    expect(await snapshotsOf(database.image)).not.toEqual(before)
    expect((await site.run('benji-backup-pvc', [`${namespace}/nobody`], env)).code).toBe(1)
  })

  test('benji-command is Benji, with its output and its exit codes', async () => {
    const listed = await site.run('benji-command', ['ls', `volume == "${database.volume}"`], env)
    expect(listed.code).toBe(0)
    expect((JSON.parse(listed.stdout) as { versions: object[] }).versions).toHaveLength(2)
    expect((await site.run('benji-command', ['rm', 'nobody'], env)).code).toBe(66)
  })

  test('benji-restore-pvc restores into a claim that is there only when forced', async () => {
    const [version] = (await benji.ls(`volume == "${database.volume}"`)).slice(-1)
    const target = await volumes.create('restored')
    await writeImage(target.image, { at: 0, bytes: randomBytes(MiB) })
    const args = [version?.uid ?? '', namespace, 'restored']
    expect((await site.run('benji-restore-pvc', args, env)).code).toBe(1)
    const { code, stderr } = await site.run('benji-restore-pvc', ['--force', ...args], env)
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect((await readImage(target.image)).equals(await readImage(`${database.image}@${version?.snapshot}`))).toBe(true)
  })

  test('benji-versions-status ends well', async () => {
    expect((await site.run('benji-versions-status', [], env)).code).toBe(0)
  })
})
