import { execFileSync } from 'node:child_process'
import { constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hangs, replies, type FakeCommand } from '@holdfast/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { failureOf, startClients } from '../support/clients.ts'

const image = { pool: 'rbd', namespace: '', name: 'data' }
let directory: string
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'holdfast-rbd-'))))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('K22: user, conf and keyring go to every call; what begins with a dash is no option', async () => {
  const ceph = {
    user: 'backup',
    conf: '/etc/ceph/x.conf',
    keyring: '/etc/ceph/k',
    rbd: ['nice', 'rbd'] as [string, string],
  }
  const { rbd, exec } = startClients({ engine: { ceph }, commands: { nice: replies({ stdout: '[]' }) } })
  const odd = { pool: '-pool', namespace: 'ns', name: 'image' }
  await rbd.snapshots(odd)
  await rbd.createSnapshot(odd, 'b-1')
  await rbd.diff({ image: odd, snapshot: 'b-2', from: 'b-1', wholeObject: true, file: join(directory, 'argv') })
  await rbd.diff({ image, snapshot: 'b-2', wholeObject: false, file: join(directory, 'argv') })
  const before = ['nice', 'rbd', '--conf=/etc/ceph/x.conf', '--id=backup', '--keyring=/etc/ceph/k']
  expect(exec.calls.map(({ command }) => command)).toEqual([
    [...before, 'snap', 'ls', '--format=json', '--', '-pool/ns/image'],
    [...before, 'snap', 'create', '--no-progress', '--', '-pool/ns/image@b-1'],
    [...before, 'diff', '--format=json', '--whole-object', '--from-snap=b-1', '--', '-pool/ns/image@b-2'],
    [...before, 'diff', '--format=json', '--', 'rbd/data@b-2'],
  ])
})

describe('K18: every call has a deadline', () => {
  test('a look', async () => {
    const { rbd, clock } = startClients({ commands: { rbd: hangs() } })
    const works = [rbd.snapshots(image), rbd.info(image), rbd.watchers(image)].map((work) => failureOf(work))
    await clock.advance('1m')
    for (const work of works) expect(await work).toMatchObject({ code: 'RBD_TIMEOUT', retryable: true })
  })

  test('a removal and a diff', async () => {
    const { rbd, clock, exec } = startClients({ commands: { rbd: hangs() } })
    const file = join(directory, 'hangs')
    const removal = failureOf(rbd.removeSnapshot(image, 'b-1'))
    const diff = failureOf(rbd.diff({ image, snapshot: 'b-1', wholeObject: true, file }))
    // The file is opened first.
    await vi.waitFor(() => expect(exec.calls).toHaveLength(2))
    await clock.advance('2h')
    expect((await removal).code).toBe('RBD_TIMEOUT')
    expect((await diff).code).toBe('RBD_TIMEOUT')
    expect(existsSync(file)).toBe(false)
  })

  test('fault F34: a snapshot of its own, which may be made all the same', async () => {
    const { rbd, ceph, clock } = startClients()
    ceph.create('rbd/data')
    ceph.badDays.next('snap create', { late: '40s' })
    const work = failureOf(rbd.createSnapshot(image, 'b-1', { timeout: '30s' }))
    await clock.advance('31s')
    expect((await work).message).toBe('rbd snap create rbd/data@b-1 did not finish within 30.0 s')
    expect(ceph.snapshotsOf('rbd/data')).toEqual([])
    await clock.advance('10s')
    expect(ceph.snapshotsOf('rbd/data')).toEqual(['b-1'])
  })
})

test('fault F33: a snapshot that fails says what Ceph said', async () => {
  const { rbd, ceph } = startClients()
  ceph.create('rbd/data')
  ceph.badDays.next('snap create', { exit: 5, says: 'rbd: failed to create snapshot: (5) Input/output error' })
  expect(await failureOf(rbd.createSnapshot(image, 'b-1'))).toMatchObject({
    code: 'RBD_FAILED',
    message: 'rbd snap create rbd/data@b-1 failed: rbd: failed to create snapshot: (5) Input/output error',
    details: { exitCode: 5 },
  })
})

/** As rbd 16.2 says it, exit code 2 and all. */
const unreachable: FakeCommand = replies({
  exitCode: 2,
  stderr:
    "unable to get monitor info from DNS SRV with service name: ceph-mon\nrbd: couldn't connect to the cluster!\nrbd: listing images failed: (2) No such file or directory\n",
})

test('a cluster that can’t be reached is not a snapshot that is gone', async () => {
  const { rbd } = startClients({ commands: { rbd: unreachable } })
  expect((await failureOf(rbd.removeSnapshot(image, 'b-1'))).code).toBe('RBD_FAILED')
  expect((await failureOf(rbd.info(image))).code).toBe('RBD_FAILED')
  const said = "rbd: couldn't connect to the cluster!\nrbd: error opening pool 'rbd': (2) No such file or directory\n"
  const other = startClients({ commands: { rbd: replies({ exitCode: 2, stderr: said }) } })
  expect((await failureOf(other.rbd.info(image))).code).toBe('RBD_FAILED')
})

test('a snapshot that is protected is not removed, and not called removed', async () => {
  const { rbd, ceph } = startClients()
  ceph.create('rbd/data')
  ceph.snapshot('rbd/data', 'b-1').protected = true
  expect(await failureOf(rbd.removeSnapshot(image, 'b-1'))).toMatchObject({
    code: 'RBD_FAILED',
    message: "rbd snap rm rbd/data@b-1 failed: rbd: snapshot 'b-1' is protected from removal.",
  })
  expect(await rbd.snapshots(image)).toMatchObject([{ name: 'b-1', protected: true }])
})

test('an rbd that is killed, told to stop, or not there', async () => {
  expect((await failureOf(startClients({ commands: { rbd: replies({ exitCode: 137 }) } }).rbd.info(image))).code).toBe(
    'RBD_STOPPED',
  )
  const { rbd, controller } = startClients({ commands: { rbd: hangs() } })
  const work = failureOf(rbd.snapshots(image))
  controller.abort(new Error('over'))
  expect((await work).code).toBe('RBD_STOPPED')
  const missing = startClients({ engine: { ceph: { rbd: ['/opt/rbd'] } } })
  expect(await failureOf(missing.rbd.info(image))).toMatchObject({
    code: 'RBD_MISSING',
    details: { program: '/opt/rbd' },
  })
})

describe('fault F44: output of rbd that is not understood', () => {
  test.for([
    '',
    'did not load config file\n[]',
    '[{"id":1}]',
    '{}',
    '[{"id":1,"name":"b-1","size":1,"protected":"maybe"}]',
    '[{"id":1,"name":"b-',
  ])('%s', async (stdout) => {
    const { rbd } = startClients({ commands: { rbd: replies({ stdout }) } })
    expect((await failureOf(rbd.snapshots(image))).code).toBe('RBD_OUTPUT')
  })

  test('snapshots are by id, whatever order they come in; newer members are let pass', async () => {
    const stdout = JSON.stringify([
      { id: 9, name: 'new', size: 1, protected: 'false', timestamp: 'x', namespace: { type: 'user' } },
      { id: 4, name: 'old', size: 1, protected: true },
    ])
    const { rbd } = startClients({ commands: { rbd: replies({ stdout }) } })
    expect((await rbd.snapshots(image)).map(({ name }) => name)).toEqual(['old', 'new'])
  })
})

describe('a diff', () => {
  const request = (name: string) => ({ image, snapshot: 'b-1', wholeObject: true, file: join(directory, name) })

  test('is written as it came, for nobody else to read', async () => {
    const stdout = '[{"offset":0,"length":4194304,"exists":"true"},{"offset":8388608,"length":1,"exists":"false"}]\n'
    const { rbd } = startClients({ commands: { rbd: replies({ stdout }) } })
    expect(await rbd.diff(request('whole'))).toEqual({ extents: 2 })
    expect(readFileSync(join(directory, 'whole'), 'utf8')).toBe(stdout)
  })

  test('K18: of 100,000 extents goes through piece by piece, at the pace of the file', async () => {
    const extents = Array.from({ length: 100_000 }, (_, at) => ({
      offset: at * 4_194_304,
      length: 4_194_304,
      exists: 'true',
    }))
    const text = `${JSON.stringify(extents)}\n`
    let sent = 0
    const stream: FakeCommand = async ({ request: { stdout } }) => {
      if (typeof stdout !== 'object') throw new Error('a diff is not kept in memory')
      for (; sent < text.length; sent += 65_536) await stdout.write(Buffer.from(text.slice(sent, sent + 65_536)))
      return {}
    }
    const { rbd } = startClients({ commands: { rbd: stream } })
    // A pipe that nobody reads from holds a chunk or two.
    const pipe = request('pipe')
    execFileSync('mkfifo', [pipe.file])
    const reader = await open(pipe.file, constants.O_RDWR)
    const work = rbd.diff(pipe)
    await vi.waitFor(() => expect(sent).toBeGreaterThan(0))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(sent).toBeLessThan(300_000)
    const read: Buffer[] = []
    for (let bytes = 0; bytes < text.length; bytes += read.at(-1)?.length ?? 0) {
      const { buffer, bytesRead } = await reader.read({ buffer: Buffer.alloc(65_536) })
      read.push(buffer.subarray(0, bytesRead))
    }
    expect(await work).toEqual({ extents: 100_000 })
    await reader.close()
    expect(Buffer.concat(read).equals(Buffer.from(text))).toBe(true)
  })

  test.for([
    ['cut off', { stdout: '[{"offset":0,"length":4194304,"exists":"true"}' }, 'RBD_OUTPUT'],
    ['empty', { stdout: '' }, 'RBD_OUTPUT'],
    ['with a line of a log', { stdout: 'librbd: x\n[]' }, 'RBD_OUTPUT'],
    [
      'whole, and failed',
      { stdout: '[]\n', exitCode: 2, stderr: 'rbd: diff error: (2) No such file or directory\n' },
      'RBD_NOT_FOUND',
    ],
    [
      'whole, and failed otherwise',
      { stdout: '[]\n', exitCode: 5, stderr: 'rbd: diff error: (5) Input/output error\n' },
      'RBD_FAILED',
    ],
  ] as const)('fault F44: %s leaves no file behind', async ([name, reply, code]) => {
    const { rbd } = startClients({ commands: { rbd: replies(reply) } })
    expect((await failureOf(rbd.diff(request(name)))).code).toBe(code)
    expect(existsSync(join(directory, name))).toBe(false)
  })

  test('that can’t be written is an error of the file', async () => {
    const { rbd } = startClients({ commands: { rbd: replies({ stdout: '[]' }) } })
    await expect(rbd.diff({ ...request('x'), file: join(directory, 'no', 'such') })).rejects.toThrow('ENOENT')
  })
})
