// The images of Benji, as pods that have nothing: no root, no capabilities, no writable root file system.
import { beforeAll, describe, expect, test } from 'vitest'
import { readFile } from 'node:fs/promises'
import { blockOf } from '../scripts/page-blocks.ts'
import { measureAdded } from '../scripts/image-size.ts'
import { apply, succeed, waitFor, type Ended } from './support/kubectl.ts'
import { images, useNamespace } from './support/namespace.ts'
import { ended, execIn, logsOf, podOf, ready } from './support/pods.ts'

const namespace = useNamespace('benji-image')

const restricted = {
  runAsNonRoot: true,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}
const writable = ['/var/lib/benji', '/var/lib/holdfast', '/tmp']
const nameOf = (path: string): string => path.slice(1).replaceAll('/', '-')
const volumeMounts = writable.map((mountPath) => ({ name: nameOf(mountPath), mountPath }))
const volumes = writable.map((path) => ({ name: nameOf(path), emptyDir: {} }))

/** Files of a ConfigMap. */
interface Mounted {
  readonly at: string
  readonly text: string
}

async function start(name: string, container: Record<string, unknown>, mounted?: Mounted): Promise<void> {
  if (mounted) {
    const data = { file: mounted.text }
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data })
  }
  const mounts = mounted ? [{ name: 'mounted', mountPath: mounted.at, subPath: 'file' }] : []
  const more = mounted ? [{ name: 'mounted', configMap: { name } }] : []
  const { env = [], ...rest } = container
  await apply(
    podOf(
      namespace,
      name,
      { securityContext: restricted, volumeMounts: [...volumeMounts, ...mounts], env, ...rest },
      { automountServiceAccountToken: false, volumes: [...volumes, ...more] },
    ),
  )
}

const inside =
  (pod: string) =>
  (...command: readonly string[]): Promise<Ended> =>
    execIn(namespace, pod, 'main', command)

async function printed(command: Promise<Ended>): Promise<string> {
  const { code, stdout, stderr } = await command
  if (code !== 0) throw new Error(`it ended with ${code}: ${stderr}${stdout}`)
  return stdout.trim()
}

/** What a registry would say of an image. */
async function configOf(image: string): Promise<Record<string, unknown>> {
  const archive = archiveOf(image)
  const [{ Config }] = JSON.parse(await succeed('tar', ['-xOf', archive, 'manifest.json'])) as [{ Config: string }]
  const { config } = JSON.parse(await succeed('tar', ['-xOf', archive, Config])) as { config: Record<string, unknown> }
  return config
}

const archiveOf = (image: string): string =>
  `${process.env['HOLDFAST_E2E_DIR']}/images/${image.replaceAll(/[/:]/g, '_')}.tar`

const crontab = `PROM_PUSH_GATEWAY=:9191
BENJI_INSTANCE:-benji-east
15  * * * * root benji-backup-pvc --all-namespaces -l 'tier in (db,queue)'
40  */2 * * * root benji-backup-pvc --namespace web
10 02 * * * root benji-command enforce latest2,days14,months6 'labels["benji-backup.me/instance"] == "benji-east"'
20 02 * * * root benji-command cleanup
45 06 * * * root benji-versions-status
00 07 * * 0 root benji-command batch-deep-scrub --version-percentage 20 --block-percentage 50 'labels["benji-backup.me/instance"] == "benji-east"'
`

const ownConfiguration = `configurationVersion: '1'
databaseEngine: sqlite:////var/lib/benji/own.sqlite
defaultStorage: own
storages: [{ name: own, module: file, configuration: { path: /var/lib/benji/own } }]
ios: [{ name: file, module: file }]
`

beforeAll(async () => {
  const idle = { image: images.benji, args: ['sleep', '600'] }
  await Promise.all([
    start('by-hand', idle),
    start('own', idle, { at: '/etc/benji/benji.yaml', text: ownConfiguration }),
    start('shell', { image: images.benji }),
    start('empty', { image: images.benjiK8s }),
    start('crontab', { image: images.benjiK8s }, { at: '/benji/etc/crontab', text: crontab }),
  ])
  await Promise.all(['by-hand', 'own', 'empty', 'crontab'].map((name) => ready(namespace, name, 100)))
})

describe('benji, by hand', () => {
  const benji = inside('by-hand')

  test('docs/images.md: after database-init it backs a file up, lists it, and restores it', async () => {
    await printed(benji('sh', '-c', 'head -c 5000000 /dev/urandom > /tmp/disk.img'))
    const [begin = '', ...typed] = blockOf('docs/images.md', 'by-hand').split('\n')
    // A pod in its place.
    expect(begin).toMatch(/^docker run .* benji:0\.17\.0$/)
    const version = `"$(benji -m ls | grep -o '"uid": "[^"]*' | cut -d '"' -f 4)"`
    const commands = typed.join('\n').replaceAll('/data/', '/tmp/').replace('VERSION', version)
    await printed(benji('sh', '-euc', commands))
    const listed = JSON.parse(await printed(benji('benji', '-m', 'ls'))) as { readonly versions: readonly object[] }
    expect(listed.versions).toMatchObject([{ volume: 'disk', size: 5_000_000, status: 'valid' }])
    await printed(benji('cmp', '/tmp/disk.img', '/tmp/restored.img'))
  })

  test('the helper script brings a database up to date that is there, and touches nothing in it', async () => {
    const before = await printed(benji('benji', '-m', 'ls'))
    await printed(benji('/usr/local/share/holdfast/benji/prepare-database'))
    expect(await printed(benji('benji', '-m', 'ls'))).toBe(before)
    await printed(benji('/usr/local/share/holdfast/benji/prepare-database', '/tmp/a/directory'))
    expect(await printed(benji('stat', '-c', '%a', '/tmp/a/directory'))).toBe('700')
  })

  test('its versions are those that are named, and Ceph is there', async () => {
    const { version } = JSON.parse(await printed(benji('benji', '-m', 'version-info'))) as { version: string }
    expect(version).toBe('0.17.0')
    const wanted = (await readFile(new URL('../apps/sidecar/image/benji/requirements.txt', import.meta.url), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('=='))
    const program = `from importlib.metadata import version
import sys
print(*(f'{name}=={version(name)}' for name in sys.argv[1:]), sep='\\n')`
    const names = wanted.map((line) => line.replace(/==.*/, ''))
    expect((await printed(benji('/opt/benji/bin/python', '-c', program, ...names))).split('\n')).toEqual(wanted)
    expect(await printed(benji('rbd', '--version'))).toMatch(/^ceph version 1\d\./)
    await printed(benji('/opt/benji/bin/python', '-c', 'import rados, rbd, zstandard, Crypto, psycopg2'))
  })

  test('nothing has to be compiled when it starts, which it does several times in a backup', async () => {
    const verbose = ['env', 'PYTHONVERBOSE=1', 'benji', 'version-info'] as const
    const { code, stderr } = await benji(...verbose)
    expect(code).toBe(0)
    expect(stderr).toMatch(/^# code object from '\/opt\/benji\/.*\.pyc'$/m)
    expect(stderr.split('\n').filter((line) => /^# code object from '\/opt\/.*\.py'$/.test(line))).toEqual([])
  })

  test('there is one configuration at both places, which a mount at either replaces', async () => {
    const own = inside('own')
    for (const pod of [benji, own]) {
      expect(await printed(pod('cat', '/etc/benji/benji.yaml'))).toBe(
        await printed(pod('cat', '/benji/etc/benji.yaml')),
      )
    }
    expect(await printed(own('cat', '/benji/etc/benji.yaml'))).toBe(ownConfiguration.trim())
    await printed(own('/usr/local/share/holdfast/benji/prepare-database'))
    expect(await printed(own('ls', '/var/lib/benji'))).toBe('own.sqlite')
  })

  test('it is nobody special, and writes nowhere else', async () => {
    expect(await printed(benji('id', '-u'))).toBe('1000')
    expect((await benji('touch', '/benji/etc/new')).code).not.toBe(0)
    expect(await printed(benji('env', 'TZ=Europe/Berlin', 'date', '-d', '@0', '+%H'))).toBe('01')
    await printed(benji('sh', '-c', 'command -v bash curl jq'))
  })

  test('a shell is what it starts; it says who may do what with it', async () => {
    expect((await ended(namespace, 'shell')).status.phase).toBe('Succeeded')
    expect(await configOf(images.benji)).toMatchObject({
      Cmd: ['/bin/bash'],
      User: '1000:1000',
      Labels: { 'org.opencontainers.image.licenses': 'LGPL-3.0-only' },
    })
    const packages = (await printed(benji('dpkg-query', '-W', '-f', '${Package}\\n'))).split('\n')
    expect(packages).toEqual(expect.arrayContaining(['ceph-common', 'python3-rbd', 'librbd1']))
    const missing = await printed(
      benji(
        'sh',
        '-c',
        'for each; do test -s "/usr/share/doc/$each/copyright" || echo "$each"; done',
        'sh',
        ...packages,
      ),
    )
    expect(missing).toBe('')
  })
})

describe('benji-k8s', () => {
  test('with its empty crontab the daemon starts, is ready, and says that there is nothing to do', async () => {
    const empty = inside('empty')
    expect(await printed(empty('wc', '-c', '/benji/etc/crontab'))).toMatch(/^0 /)
    const health = await waitFor('it to be ready', async () => {
      const asked = await empty('holdfast', 'health', '--ready')
      return asked.code === 0 && asked
    })
    expect(health.code).toBe(0)
    const logs = await logsOf(namespace, 'empty', 'main')
    expect(logs).toMatch(/crontab has no lines: nothing is scheduled/)
    expect(logs).not.toMatch(/EROFS|EACCES|at .*\.js:/)
  })

  test("the crontab of Benji's container is a configuration as it stands", async () => {
    const shell = inside('crontab')
    const health = await waitFor('it to be ready', async () => {
      const asked = await shell('holdfast', 'health', '--ready')
      return asked.code === 0 && asked
    })
    expect(health.code).toBe(0)
    const schedule = await printed(shell('holdfast', 'schedule', '--json'))
    const plans = new Set([...schedule.matchAll(/"(benji-[a-z-]+-[0-9a-f]{6})"/g)].map(([, name = '']) => name))
    expect([...plans].map((name) => name.slice(0, -7)).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'benji-backup-pvc',
      'benji-backup-pvc',
      'benji-command',
      'benji-command',
      'benji-command',
      'benji-versions-status',
    ])
    const explained = await Promise.all([...plans].map((plan) => shell('holdfast', 'plan', plan)))
    const refused = explained.filter(({ code }) => code !== 0)
    // This pod has no token.
    expect(refused).toHaveLength(2)
    for (const { stderr } of refused) expect(stderr).toContain('DISCOVERY_NO_KUBERNETES')
  })

  test("Benji's commands are on the PATH, and so is what the other image has", async () => {
    const shell = inside('crontab')
    for (const program of ['benji-backup-pvc', 'benji-restore-pvc', 'benji-command', 'benji-versions-status']) {
      expect(await printed(shell(program, '--help'))).toContain(program)
    }
    await printed(shell('sh', '-c', 'command -v holdfast benji rbd bash curl jq fsfreeze'))
    // `/scripts` is for script hooks.
    expect(await printed(shell('ls', '/usr/local/share/holdfast/benji'))).toBe('prepare-database')
    expect(await configOf(images.benjiK8s)).toMatchObject({
      Cmd: ['holdfast', 'daemon'],
      User: '1000:1000',
      Healthcheck: { Test: ['CMD', 'holdfast', 'health', '--live'] },
      Labels: { 'org.opencontainers.image.licenses': 'Apache-2.0 AND LGPL-3.0-only' },
    })
  })

  test('it adds little to the other image', async () => {
    const [image, base] = await Promise.all([images.benjiK8s, images.benji].map((name) => readFile(archiveOf(name))))
    if (!image || !base) throw new Error('no archives')
    // Without Node, which the base of the tests has already.
    expect(measureAdded(image, base).together.unpacked).toBeLessThan(15_000_000)
  })
})
