import type { ExecRequest } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { startClients, type StartClientsOptions } from '../support/clients.ts'
import type { Benji } from '../../src/benji/benji.ts'

/** What a call of Benji was asked to run. The answer doesn't matter. */
async function requestOf(
  call: (benji: Benji) => Promise<unknown>,
  options: StartClientsOptions = {},
): Promise<ExecRequest> {
  const requests: ExecRequest[] = []
  const { benji } = startClients({
    ...options,
    wrap: (exec) => ({
      ...exec,
      local(request) {
        requests.push(request)
        return exec.local(request)
      },
    }),
  })
  await call(benji).catch(() => {})
  const [request] = requests
  if (!request) throw new Error('nothing was run')
  return request
}

const argv = async (
  call: (benji: Benji) => Promise<unknown>,
  options?: StartClientsOptions,
): Promise<readonly string[]> => (await requestOf(call, options)).command

test('global options stand before the command', async () => {
  expect(await argv((benji) => benji.ls('volume == "a"'))).toEqual([
    'benji',
    '--machine-output',
    '--log-level=INFO',
    'ls',
    '--',
    'volume == "a"',
  ])
  const engine = { command: ['nice', '-n19', 'benji'], configFile: '/etc/b.yaml', logLevel: 'DEBUG' } as const
  expect(await argv((benji) => benji.ls(), { engine: { ...engine, command: [...engine.command] } })).toEqual([
    'nice',
    '-n19',
    'benji',
    '--config-file=/etc/b.yaml',
    '--machine-output',
    '--log-level=DEBUG',
    'ls',
  ])
})

test('Benji logs what is looked for in its log, whatever level is passed on', async () => {
  expect(await argv((benji) => benji.cleanup(), { engine: { logLevel: 'ERROR' } })).toContain('--log-level=INFO')
})

const request = { uid: '-u', volume: '-v', snapshot: '-s', source: '-url', labels: { a: '-b=c', empty: '' } }

test('values that begin with a dash stay values', async () => {
  const full = { ...request, hints: '-h', base: '-f', blockSize: 4096 }
  expect((await argv((benji) => benji.backup(full), { engine: { storage: '-S' } })).slice(3)).toEqual([
    'backup',
    '--uid=-u',
    '--snapshot=-s',
    '--rbd-hints=-h',
    '--base-version=-f',
    '--block-size=4096',
    '--storage=-S',
    '--label=a=-b=c',
    '--label=empty=',
    '--',
    '-url',
    '-v',
  ])
  expect((await argv((benji) => benji.rm(['-x'], { force: true }))).slice(3)).toEqual(['rm', '--force', '--', '-x'])
})

test.for<[string, (benji: Benji) => Promise<unknown>, readonly string[]]>([
  [
    'restore',
    (b) => b.restore({ uid: 'u', to: 'rbd:rbd/x', sparse: true, force: true }),
    ['restore', '--sparse', '--force', '--', 'u', 'rbd:rbd/x'],
  ],
  ['restore', (b) => b.restore({ uid: 'u', to: 'file:/x' }), ['restore', '--', 'u', 'file:/x']],
  [
    'rm',
    (b) => b.rm(['a', 'b'], { force: true, overrideLock: true, keepMetadataBackup: true }),
    ['rm', '--force', '--override-lock', '--keep-metadata-backup', '--', 'a', 'b'],
  ],
  [
    'enforce',
    (b) => b.enforce({ rules: 'latest3', filter: 'uid == "a"', dryRun: true }),
    ['enforce', '--dry-run', '--', 'latest3', 'uid == "a"'],
  ],
  ['enforce', (b) => b.enforce({ rules: 'latest3', filter: ' ' }), ['enforce', '--', 'latest3']],
  ['protect', (b) => b.protect(['a', 'b']), ['protect', '--', 'a', 'b']],
  ['unprotect', (b) => b.unprotect(['a']), ['unprotect', '--', 'a']],
  [
    'label',
    (b) => b.label('u', { 'x.y/a': 'b', empty: '', gone: undefined }),
    ['label', '--', 'u', 'x.y/a=b', 'empty=', 'gone-'],
  ],
  [
    'deep-scrub',
    (b) => b.deepScrub({ uid: 'u', source: 'rbd:rbd/x', blockPercentage: 5 }),
    ['deep-scrub', '--source=rbd:rbd/x', '--block-percentage=5', '--', 'u'],
  ],
  ['deep-scrub', (b) => b.deepScrub({ uid: 'u' }), ['deep-scrub', '--', 'u']],
  ['batch-scrub', (b) => b.batchScrub({ deep: false }), ['batch-scrub']],
  [
    'batch-deep-scrub',
    (b) => b.batchScrub({ deep: true, versionPercentage: 6, blockPercentage: 50, filter: 'f' }),
    ['batch-deep-scrub', '--version-percentage=6', '--block-percentage=50', '--', 'f'],
  ],
  ['cleanup', (b) => b.cleanup({ overrideLock: true }), ['cleanup', '--override-lock']],
  ['metadata-backup', (b) => b.metadataBackup('uid == "u"'), ['metadata-backup', '--force', '--', 'uid == "u"']],
  ['metadata-ls', (b) => b.metadataLs(), ['metadata-ls']],
])('%s', async ([, call, expected]) => {
  expect((await argv(call)).slice(3)).toEqual(expected)
})

test('the metadata are those of the storage that is written to', async () => {
  const options = { engine: { storage: 's2' } }
  expect((await argv((benji) => benji.metadataLs(), options)).slice(3)).toEqual(['metadata-ls', '--storage=s2'])
})

test('C6: every command is stopped with SIGINT, and variables go with it', async () => {
  const engine = { env: { TZ: 'UTC' } }
  const calls: ((benji: Benji) => Promise<unknown>)[] = [
    (b) => b.ls(),
    (b) => b.backup(request),
    (b) => b.restore({ uid: 'u', to: 'x' }),
    (b) => b.rm(['u']),
    (b) => b.batchScrub({ deep: true }),
  ]
  for (const call of calls) {
    expect(await requestOf(call, { engine })).toMatchObject({ stopSignal: 'SIGINT', env: { TZ: 'UTC' } })
  }
})

test('nothing to do is nothing to run', async () => {
  const { benji, fake } = startClients()
  await benji.rm([])
  await benji.protect([])
  await benji.unprotect([])
  await benji.label('u', {})
  expect(fake.calls).toEqual([])
})

test('as many versions as there are: some in each call, because arguments have a limit', async () => {
  const { benji, fake } = startClients()
  const uids = Array.from({ length: 1200 }, (_, index) => fake.add({ uid: `u-${index}`, volume: 'v' }).uid)
  await benji.rm(uids, { force: true })
  expect(fake.versions).toEqual([])
  expect(fake.calls).toHaveLength(3)
})
