// The image, as a pod that has nothing: no root, no capabilities, no writable root file system.
import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { blockOf } from '../scripts/page-blocks.ts'
import { measureAdded } from '../scripts/image-size.ts'
import { apply, kubectl, succeed, waitFor } from './support/kubectl.ts'
import { images, useNamespace } from './support/namespace.ts'
import { ended, execIn, logsOf, podOf, ready } from './support/pods.ts'

const namespace = useNamespace('image')

const restricted = {
  runAsNonRoot: true,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}
const writable = {
  volumeMounts: [
    { name: 'state', mountPath: '/var/lib/holdfast' },
    { name: 'tmp', mountPath: '/tmp' },
  ],
}
const volumes = [
  { name: 'state', emptyDir: {} },
  { name: 'tmp', emptyDir: {} },
]
/** Pods here reach no API, as a sidecar without a service account. */
const unconnected = { automountServiceAccountToken: false, volumes }

beforeAll(async () => {
  await apply(
    podOf(
      namespace,
      'bare',
      {
        image: images.holdfast,
        env: [{ name: 'CRON_BACKUP_SCHEDULE', value: '0 3 * * *' }],
        securityContext: restricted,
        ...writable,
      },
      unconnected,
    ),
  )
  await waitFor('the daemon', async () => (await logsOf(namespace, 'bare', 'main')).includes('not ready'))
})

const inside = (...command: readonly string[]) => execIn(namespace, 'bare', 'main', command)

describe('with nothing but a schedule', () => {
  test('the daemon stays up, is not ready, and says that there are no scripts', async () => {
    const live = await inside('holdfast', 'health', '--live')
    expect(live).toMatchObject({ code: 0 })
    const health = await inside('holdfast', 'health', '--ready')
    expect(health.code).toBe(1)
    expect(health.stdout + health.stderr).toMatch(/no scripts/)
    const logs = await logsOf(namespace, 'bare', 'main')
    expect(logs).toMatch(/no scripts/)
    expect(logs).not.toMatch(/EROFS|EACCES|at .*\.js:/)
  })

  test('it says so over HTTP as well, on the port that the documentation names', async () => {
    const curl = (path: string) =>
      inside('curl', '-sS', '-o', '/tmp/body', '-w', '%{http_code}', `http://127.0.0.1:9480${path}`)
    expect((await curl('/healthz')).stdout).toBe('200')
    expect((await curl('/readyz')).stdout).toBe('503')
    expect((await inside('cat', '/tmp/body')).stdout).toMatch(/no scripts/)
    expect((await curl('/metrics')).stdout).toBe('200')
    expect((await inside('cat', '/tmp/body')).stdout).toMatch(/^holdfast_build_info\{version="[^"]+"\} 1$/m)
  })

  test('docs/status-page.md: a port is forwarded to it', async () => {
    const command = blockOf('docs/status-page.md', 'forward').replace('deploy/shop 9480', '-n "$0" pod/bare :9480')
    const forwarding = spawn('bash', ['-c', command, namespace], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      let said = ''
      forwarding.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
      const port = await waitFor('a port', async () => /from 127\.0\.0\.1:(\d+)/.exec(said)?.[1])
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('Holdfast')
    } finally {
      forwarding.kill()
    }
  })

  test('it is nobody special, and the commands are on its PATH', async () => {
    expect((await inside('id', '-u')).stdout.trim()).toBe('1000')
    const commands = [
      'holdfast',
      'fridge',
      'kubectlexec',
      'make-k8s-cfg-files',
      'save_var',
      'store_var',
      'load_var',
      'save_artifact',
      'bash',
      'curl',
    ]
    const found = await inside(
      '/bin/sh',
      '-c',
      commands.map((each) => `command -v ${each} >/dev/null || echo ${each}`).join('; '),
    )
    expect(found.stdout).toBe('')
    const directories = await inside(
      '/bin/sh',
      '-c',
      'ls -d /secrets /scripts/backups /scripts/before_backups /scripts/after_backups /scripts/on_error /scripts/install_dependencies',
    )
    expect(directories).toMatchObject({ code: 0 })
    expect((await inside('env', 'TZ=Europe/Berlin', 'date', '-d', '@0', '+%H')).stdout.trim()).toBe('01')
  })

  test('apk is not there, and says what is', async () => {
    const { code, stdout, stderr } = await inside('apk', 'add', '--no-cache', 'mariadb-client')
    expect(code).toBe(1)
    expect(stdout + stderr).toContain('mariadb-client')
    expect(stdout + stderr).toMatch(/apt-get/)
    expect(stdout + stderr).toMatch(/alpine/i)
  })
})

test('README.md: a backup in shell', async () => {
  const places = ['/scripts', '/run/app', '/data']
  const mounts = places.map((mountPath, index) => ({ name: `place-${index}`, mountPath }))
  const command = `echo rows >/data/export.tar\n${blockOf('README.md', 'scripts')}`
  const container = { image: images.holdfast, args: ['bash', '-euc', command], securityContext: restricted }
  const all = [...writable.volumeMounts, ...mounts]
  const more = { ...unconnected, volumes: [...volumes, ...mounts.map(({ name }) => ({ name, emptyDir: {} }))] }
  await apply(podOf(namespace, 'in-shell', { ...container, volumeMounts: all }, more))
  const there = (...words: readonly string[]) =>
    execIn(namespace, 'in-shell', 'main', ['env', 'CRON_BACKUP_SCHEDULE=0 3 * * *', ...words])
  await waitFor('the daemon to be ready', async () => (await there('holdfast', 'health', '--ready')).code === 0)
  const ran = await there('holdfast', 'run', 'scripts')
  expect({ code: ran.code, log: ran.stderr }).toEqual({
    code: 0,
    log: expect.stringContaining('10-pause.undo') as string,
  })
  expect((await there('ls', '/run/app')).stdout).toBe('')
  const back = await there('holdfast', 'restore', '--bytes', '--plan', 'scripts', '--to', '-')
  expect(back.stdout).toBe('rows\n')
  expect((await there('holdfast', 'schedule')).stdout).toContain('03:00')
})

test('fault F10: orphans are reaped', async () => {
  // Each is left behind by its parent at once, and ends a moment later.
  const orphan = 'for n in 1 2 3 4 5 6 7 8; do sh -c "sleep 0.3 &" & done; wait'
  await inside('/bin/sh', '-c', orphan)
  const zombies =
    'for s in /proc/[0-9]*/stat; do read -r _ _ state _ <$s 2>/dev/null && [ "$state" = Z ] && echo $s; done; true'
  const left = await waitFor('no zombies', async () => {
    const { stdout } = await inside('/bin/sh', '-c', zombies)
    return stdout === '' ? 'none' : undefined
  })
  expect(left).toBe('none')
})

describe('any command in place of the daemon', () => {
  async function once(
    name: string,
    args: readonly string[],
    more: object = {},
    extra: object = {},
  ): Promise<{ phase: string; logs: string }> {
    await apply(
      podOf(
        namespace,
        name,
        { image: images.holdfast, args, securityContext: restricted, ...writable, ...more },
        { ...unconnected, ...extra },
      ),
    )
    const pod = await ended(namespace, name)
    return { phase: pod.status.phase, logs: await logsOf(namespace, name, 'main') }
  }

  test('a shell', async () => {
    expect(await once('shell', ['/bin/sh', '-c', 'echo $((6 * 7))'])).toEqual({ phase: 'Succeeded', logs: '42\n' })
  })

  test('make-k8s-cfg-files: into a directory of somebody else’s, it says how to; as that user, it writes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-e2e-cfg-'))
    await mkdir(join(directory, 'scripts/backups'), { recursive: true })
    await writeFile(join(directory, 'scripts/backups/1_dump.sh'), '#!/bin/sh\necho dump\n', { mode: 0o755 })
    await mkdir(join(directory, 'out'))
    for (const each of [
      directory,
      join(directory, 'scripts'),
      join(directory, 'scripts/backups'),
      join(directory, 'out'),
    ])
      await chmod(each, 0o755)
    const args = ['make-k8s-cfg-files', 'shop', 'shop', 'app', '/data/scripts', '/data/out']
    const more = { volumeMounts: [...writable.volumeMounts, { name: 'data', mountPath: '/data' }] }
    const extra = { volumes: [...volumes, { name: 'data', hostPath: { path: directory } }] }
    const refused = await once('foreign', args, more, extra)
    expect(refused.phase).toBe('Failed')
    expect(refused.logs).toContain('--user')
    expect(await readdir(join(directory, 'out'))).toEqual([])
    const asOwner = { ...more, securityContext: { ...restricted, runAsNonRoot: false, runAsUser: 0 } }
    expect(await once('owner', args, asOwner, extra)).toEqual({ phase: 'Succeeded', logs: '' })
    expect(await readdir(join(directory, 'out'))).toHaveLength(4)
  })
})

test('the image says how to look after it', async () => {
  const archive = `${process.env['HOLDFAST_E2E_DIR']}/images/holdfast.local_holdfast_test.tar`
  const [{ Config }] = JSON.parse(await succeed('tar', ['-xOf', archive, 'manifest.json'])) as [{ Config: string }]
  const { config } = JSON.parse(await succeed('tar', ['-xOf', archive, Config])) as { config: Record<string, unknown> }
  expect(config['Healthcheck']).toMatchObject({ Test: ['CMD', 'holdfast', 'health', '--live'] })
  expect(config['User']).toBe('1000:1000')
  expect(config['Labels']).toMatchObject({ 'org.opencontainers.image.licenses': 'Apache-2.0' })
})

test('it adds less than 15 MB to its base, as it is fetched and as it lies on disk', async () => {
  const archive = (name: string): Promise<Buffer> =>
    readFile(`${process.env['HOLDFAST_E2E_DIR']}/images/${name.replaceAll(/[/:]/g, '_')}.tar`)
  const { together } = measureAdded(await archive(images.holdfast), await archive(images.node))
  expect(together.compressed).toBeLessThan(15_000_000)
  expect(together.unpacked).toBeLessThan(15_000_000)
  // Something is wrong with the measuring if it is that little.
  expect(together.unpacked).toBeGreaterThan(5_000_000)
})

test('what came from Debian has its licence, and what is left out says how to get it', async () => {
  const packages = (await inside('dpkg-query', '-W', '-f', '${Package}\\n')).stdout.trim().split('\n')
  expect(packages).toEqual(expect.arrayContaining(['curl', 'libkrb5-3', 'openssl', 'tini', 'tzdata']))
  const { stdout: missing } = await inside(
    '/bin/sh',
    '-c',
    'for each; do test -s "/usr/share/doc/$each/copyright" || echo "$each"; done',
    'sh',
    ...packages,
  )
  expect(missing).toBe('')
  const { code, stderr } = await inside('openssl', 'version')
  expect(code).toBe(127)
  expect(stderr).toContain('--reinstall openssl')
})

test('a pod that is deleted while idle ends at once, and well', async () => {
  await ready(namespace, 'bare')
  const began = Date.now()
  await kubectl(['-n', namespace, 'delete', 'pod', 'bare', '--grace-period=30', '--wait=true'])
  expect(Date.now() - began).toBeLessThan(15_000)
})
