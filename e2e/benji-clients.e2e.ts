// The clients of plugin-benji on a real Ceph and a real Benji: the cases that its fakes are tested with, too.
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { createExec, createRedactor, rawOutput, systemClock } from '@holdfast/runtime'
import type { Logger } from '@holdfast/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readBenjiConfig } from '../packages/plugin-benji/src/benji/benji-config.ts'
import { createBenji } from '../packages/plugin-benji/src/benji/create-benji.ts'
import { sourceUrl } from '../packages/plugin-benji/src/benji/source-url.ts'
import type { BenjiEngine } from '../packages/plugin-benji/src/engine.ts'
import { createRbd } from '../packages/plugin-benji/src/rbd/create-rbd.ts'
import { formatImage, type RbdImage } from '../packages/plugin-benji/src/rbd/image.ts'
import { clientCases, type World } from '../packages/plugin-benji/test/support/clients-conformance.ts'
import { failureOf } from '../packages/plugin-benji/test/support/clients.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const call = promisify(execFile)
const objectSize = 4 * 2 ** 20
const directory = mkdtempSync(join(tmpdir(), 'holdfast-benji-clients-'))
const configFile = join(directory, 'benji.yaml')
const engine: BenjiEngine = { configFile }
/** Names in the shared cluster. */
const prefix = `cl${process.pid}-`
const made = new Set<string>()

function clients(
  signal: AbortSignal = new AbortController().signal,
  of: BenjiEngine = engine,
): Pick<World, 'rbd' | 'benji'> {
  const exec = createExec({
    clock: systemClock,
    redactor: createRedactor(),
    output: rawOutput({ stdout: 2, stderr: 2, log: silent }),
    signal,
    log: silent,
  })
  const ctx = { exec, signal, log: silent, clock: systemClock }
  return { rbd: createRbd(ctx, of), benji: createBenji(ctx, of) }
}

beforeAll(async () => {
  const { CEPH_CONF } = process.env
  if (CEPH_CONF === undefined) throw new Error('CEPH_CONF is not set: run e2e/run.sh, or eval "$(e2e/kit/ceph.sh up)"')
  writeFileSync(
    configFile,
    JSON.stringify({
      configurationVersion: '1',
      databaseEngine: `sqlite:///${directory}/benji.sqlite`,
      defaultStorage: 's1',
      storages: [{ name: 's1', module: 'file', configuration: { path: join(directory, 'data') } }],
      ios: [
        { name: 'file', module: 'file' },
        { name: 'rbd', module: 'rbdaio', configuration: { cephConfigFile: CEPH_CONF } },
      ],
    }),
  )
  await call('mkdir', [join(directory, 'data')])
  await call('benji', ['-c', configFile, 'database-init'])
  const namespaces = JSON.parse((await call('rbd', ['namespace', 'ls', 'rbd', '--format=json'])).stdout) as {
    name: string
  }[]
  if (!namespaces.some(({ name }) => name === 'ns')) await call('rbd', ['namespace', 'create', 'rbd/ns'])
})
afterAll(async () => {
  for (const path of made) {
    await call('rbd', ['snap', 'purge', path])
    await call('rbd', ['rm', '--no-progress', path])
  }
  rmSync(directory, { recursive: true, force: true })
})

/** A stream for `rbd import-diff`: what writes into one place of an image without mapping it. */
function patch(offset: number, byte: number | undefined): Buffer {
  const head = Buffer.alloc(17)
  head.write(byte === undefined ? 'z' : 'w')
  head.writeBigUInt64LE(BigInt(offset), 1)
  head.writeBigUInt64LE(BigInt(objectSize), 9)
  const data = byte === undefined ? Buffer.alloc(0) : Buffer.alloc(objectSize, byte)
  return Buffer.concat([Buffer.from('rbd diff v1\n'), head, data, Buffer.from('e')])
}

async function write(image: RbdImage, object: number, byte: number | undefined): Promise<void> {
  const child = call('rbd', ['import-diff', '--no-progress', '-', formatImage(image)])
  child.child.stdin?.end(patch(object * objectSize, byte))
  await child
}

const world: World = {
  ...clients(),
  directory,
  prefix,
  write,
  async createImage(name, { namespace = '' } = {}) {
    const image = { pool: 'rbd', namespace, name }
    await call('rbd', ['create', '--size=16M', formatImage(image)])
    made.add(formatImage(image))
    await write(image, 0, 1)
    await write(image, 1, 2)
    return image
  },
  async resize(image, objects) {
    await call('rbd', ['resize', '--no-progress', `--size=${objects * 4}M`, formatImage(image)])
  },
  async damage(uid) {
    const { stdout } = await call('benji', ['-c', configFile, 'metadata-export', `uid == "${uid}"`])
    const { versions } = JSON.parse(stdout) as {
      versions: { blocks: { uid: { left: number | null; right: number } }[] }[]
    }
    const block = versions[0]?.blocks.find((each) => each.uid.left !== null)?.uid
    if (block?.left === undefined || block.left === null) throw new Error(`${uid} has no block`)
    const hex = (part: number): string => part.toString(16).padStart(16, '0')
    const file = fileOf(`${hex(block.left)}-${hex(block.right)}`)
    const bytes = readFileSync(file)
    bytes[5] = (bytes[5] ?? 0) ^ 0xff
    writeFileSync(file, bytes)
  },
  async lock(uid) {
    const database = (sql: string): void => {
      const opened = new DatabaseSync(join(directory, 'benji.sqlite'))
      opened.prepare(sql).run(`Version ${uid}`)
      opened.close()
    }
    database(`INSERT INTO locks VALUES (?, 'gone', 'gone', 'Deep-scrubbing', '2026-01-01 00:00:00')`)
    return async () => database('DELETE FROM locks WHERE lock_name = ?')
  },
  async killBackup(uid, image) {
    // The lock is taken before the first record: it dies when it says that it begins to read.
    const child = spawn('benji', [
      '-c',
      configFile,
      '-m',
      'backup',
      `--uid=${uid}`,
      sourceUrl(engine, image),
      'web/killed',
    ])
    const ended = new Promise((resolve) => child.on('close', resolve))
    child.stdout.resume()
    for await (const chunk of child.stderr) {
      if (String(chunk).includes('Starting backup of')) child.kill('SIGKILL')
    }
    await ended
  },
}

/** A file of Benji's storage, by the name of its block. */
function fileOf(block: string): string {
  const found = readdirSync(join(directory, 'data', 'blocks'), { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith(block),
  )
  if (found === undefined) throw new Error(`there is no block ${block}`)
  return join(directory, 'data', 'blocks', found)
}

describe('the clients on a real Ceph and a real Benji', () => {
  // oxlint-disable-next-line vitest/expect-expect -- the cases do
  test.for(clientCases)('$name', async ({ run }) => run(world))

  test('C6: a backup that is told to stop releases its lock', async () => {
    const image = await world.createImage(`${prefix}stopped`)
    const uid = `${prefix}stopped`
    const controller = new AbortController()
    const request = { uid, volume: 'web/stopped', snapshot: '', source: sourceUrl(engine, image), labels: {} }
    const stopped = clients(controller.signal).benji.backup(request, () =>
      controller.abort(new Error('that is enough')),
    )
    expect(await failureOf(stopped)).toMatchObject({ code: 'BENJI_STOPPED', details: { said: 'that is enough' } })
    expect(await world.benji.find(uid)).toMatchObject({ status: 'incomplete' })
    await world.benji.rm([uid], { force: true })
  })

  test('K22: Ceph’s user goes into the URL and to rbd', async () => {
    const image = await world.createImage(`${prefix}user`)
    const ours: BenjiEngine = { configFile, ceph: { user: 'somebody', keyring: '/etc/ceph/a b&c' } }
    const { rbd, benji } = clients(undefined, ours)
    expect(await rbd.snapshots(image)).toEqual([])
    const source = sourceUrl(ours, image)
    const version = await benji.backup({ uid: `${prefix}user`, volume: 'web/user', snapshot: '', source, labels: {} })
    expect(version.status).toBe('valid')
  })

  test('a cluster that can’t be reached is not an image that isn’t there', async () => {
    const { rbd } = clients(undefined, { ceph: { conf: '/nowhere/ceph.conf' } })
    const image = { pool: 'rbd', namespace: '', name: 'any' }
    expect((await failureOf(rbd.info(image))).code).toBe('RBD_FAILED')
    expect((await failureOf(rbd.removeSnapshot(image, 'b-any'))).code).toBe('RBD_FAILED')
    const unset = clients(undefined, { env: { CEPH_CONF: '/nowhere/ceph.conf' } }).rbd
    expect((await failureOf(unset.info(image))).code).toBe('RBD_FAILED')
  })

  test('C8: a configuration or database that can’t be used', async () => {
    const path = join(directory, 'other.yaml')
    const code = async (): Promise<string> =>
      (await failureOf(clients(undefined, { configFile: path }).benji.ls())).code
    expect(await code()).toBe('BENJI_CONFIG')
    writeFileSync(path, 'configurationVersion: "1"\n')
    expect(await code()).toBe('BENJI_CONFIG')
    const text = readFileSync(configFile, 'utf8')
    writeFileSync(path, text.replace('benji.sqlite', 'empty.sqlite'))
    expect(await code()).toBe('BENJI_DATABASE')
    writeFileSync(path, text.replace('"s1","module"', '"s2","module"'))
    expect(await code()).toBe('BENJI_CONFIG')
    expect(await readBenjiConfig(engine)).toMatchObject({
      defaultStorage: 's1',
      blockSize: objectSize,
      storages: ['s1'],
    })
  })

  test('programs that are not there', async () => {
    const { benji, rbd } = clients(undefined, { command: ['no-such-benji'], ceph: { rbd: ['no-such-rbd'] } })
    expect((await failureOf(benji.ls())).code).toBe('BENJI_MISSING')
    expect((await failureOf(rbd.info({ pool: 'rbd', namespace: '', name: 'a' }))).code).toBe('RBD_MISSING')
  })
})
