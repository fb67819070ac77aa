import { hangs, ignoresAbort, replies } from '@holdfast/testing'
import { expect, test } from 'vitest'
import { equals } from '../../src/benji/filter.ts'
import { failureOf, startClients } from '../support/clients.ts'

const request = { uid: 'u-1', volume: 'web/data', snapshot: 'b-1', source: 'rbd:rbd/data@b-1', labels: { a: 'b' } }

function withImage(): ReturnType<typeof startClients> {
  const clients = startClients()
  clients.ceph.create('rbd/data')
  clients.ceph.snapshot('rbd/data', 'b-1')
  return clients
}

test('progress is told while it comes', async () => {
  const { benji } = withImage()
  const seen: string[] = []
  await benji.backup(request, (done, total, task) => seen.push(`${task} ${done}/${total}`))
  expect(seen).toEqual(['Creating version 1/4', 'Creating version 4/4', 'Backing up 1/4', 'Backing up 4/4'])
})

test('C1, K20: a difference from the source is a problem, although Benji calls it a success', async () => {
  const { benji, ceph, lines } = withImage()
  await benji.backup(request)
  ceph.write('rbd/data', 0, 'else')
  const { errors, problems } = await benji.deepScrub({ uid: 'u-1', source: 'rbd:rbd/data' })
  expect(errors).toEqual([])
  expect(problems).toEqual([
    expect.stringMatching(/^Source data has changed for block 0/),
    'Version u-1 had source mismatches.',
  ])
  expect(lines).toContain('error: Version u-1 had source mismatches.')
})

test('C2, K31: a restore of damaged data is a problem, although Benji calls it a success', async () => {
  const { benji, fake } = withImage()
  await benji.backup(request)
  expect(await benji.restore({ uid: 'u-1', to: 'rbd:rbd/one' })).toEqual({ problems: [] })
  fake.damage('u-1', 1)
  const { problems } = await benji.restore({ uid: 'u-1', to: 'rbd:rbd/two' })
  expect(problems[0]).toMatch(/^Checksum mismatch during restore for block 1 /)
})

test('an error that nobody knows yet is a problem, too', async () => {
  const { benji, fake } = withImage()
  await benji.backup(request)
  const stderr = `${JSON.stringify({ event: 'Something new is wrong.', level: 'error' })}\n`
  fake.badDays.next('restore', { stderr: (text) => text + stderr })
  expect(await benji.restore({ uid: 'u-1', to: 'rbd:rbd/one' })).toEqual({ problems: ['Something new is wrong.'] })
})

test('what Benji says of its own locks is no problem of the data', async () => {
  const { benji, fake } = withImage()
  await benji.backup(request)
  const event = 'Lock Version u-1 not released correctly, releasing it now.'
  fake.badDays.next('restore', { stderr: (text) => `${text}${JSON.stringify({ event, level: 'error' })}\n` })
  expect(await benji.restore({ uid: 'u-1', to: 'rbd:rbd/one' })).toEqual({ problems: [] })
})

test('a batch that failed for a reason that its result does not name has a problem', async () => {
  const event = 'ScrubbingError: One or more version had scrubbing errors: u-1.'
  const stderr = `${JSON.stringify({ event, level: 'error' })}\n`
  const reply = replies({ exitCode: 65, stdout: '{"versions":[],"errors":[]}', stderr })
  const { benji } = startClients({ commands: { benji: reply } })
  expect(await benji.batchScrub({ deep: true })).toMatchObject({ errors: [], problems: [event] })
})

test('a scrub that fails has a result; one that can’t begin has an error', async () => {
  const { benji, fake } = withImage()
  await benji.backup(request)
  fake.damage('u-1', 0)
  expect(await benji.deepScrub({ uid: 'u-1' })).toMatchObject({ errors: [{ uid: 'u-1', status: 'invalid' }] })
  expect((await failureOf(benji.deepScrub({ uid: 'not/here' }))).code).toBe('BENJI_NOT_FOUND')
  fake.badDays.next('deep-scrub', { exit: 65 })
  expect((await failureOf(benji.deepScrub({ uid: 'u-1' }))).code).toBe('BENJI_DATA')
})

test('a batch passes over what is locked or unfinished, and that is no damage', async () => {
  const { benji, fake } = withImage()
  await benji.backup(request)
  fake.addKilled({ uid: 'u-2', volume: 'web/data' })
  fake.add({ uid: 'u-3', volume: 'web/data', status: 'incomplete' })
  const report = await benji.batchScrub({ deep: true, filter: equals('volume', 'web/data') })
  expect(report).toMatchObject({ errors: [], problems: [], skipped: ['u-2', 'u-3'] })
  expect(report.versions.map(({ uid }) => uid)).toEqual(['u-1', 'u-2', 'u-3'])
  // Of one version alone, that it can't be scrubbed is the finding.
  const single = await benji.deepScrub({ uid: 'u-3' })
  expect(single.errors).toHaveLength(1)
  expect(single.problems).toHaveLength(1)
})

test('a batch that finds damage beside an unfinished version tells the damage', async () => {
  const { benji, fake } = withImage()
  await benji.backup(request)
  fake.damage('u-1', 0)
  fake.add({ uid: 'u-3', volume: 'web/data', status: 'incomplete' })
  const report = await benji.batchScrub({ deep: true })
  expect(report).toMatchObject({ errors: [{ uid: 'u-1' }], skipped: ['u-3'] })
  expect(report.problems.length).toBeGreaterThan(0)
})

test('C14: a backup that fails after its version is valid is a failure, and the version is there', async () => {
  const { benji, fake } = withImage()
  fake.badDays.next('backup', { at: 'valid', exit: 74 })
  expect((await failureOf(benji.backup(request))).code).toBe('BENJI_IO')
  expect(await benji.find('u-1')).toMatchObject({ status: 'valid', labels: {}, bytesRead: undefined })
  expect((await benji.metadataLs()).has('u-1')).toBe(false)
})

test('C6: a backup that is killed leaves an incomplete version, locked', async () => {
  const { benji, fake } = withImage()
  fake.badDays.next('backup', { at: 'created', exit: 137 })
  expect(await failureOf(benji.backup(request))).toMatchObject({ code: 'BENJI_STOPPED', retryable: true })
  expect(await benji.find('u-1')).toMatchObject({ status: 'incomplete' })
  expect((await failureOf(benji.rm(['u-1'], { force: true }))).code).toBe('BENJI_LOCKED')
})

test('C6: a backup that is told to stop says why, and leaves no lock', async () => {
  const { benji, fake, controller } = withImage()
  fake.badDays.next('backup', { at: 'created', hangs: true })
  const work = benji.backup(request)
  controller.abort(new Error('the hook took too long'))
  expect(await failureOf(work)).toMatchObject({ code: 'BENJI_STOPPED', details: { said: 'the hook took too long' } })
  expect(fake.locks.size).toBe(0)
})

test('K18: what only looks into the database does not wait for ever', async () => {
  const { benji, clock } = startClients({ commands: { benji: ignoresAbort() } })
  const work = failureOf(benji.ls())
  await clock.advance('10m')
  expect((await work).code).toBe('BENJI_STOPPED')
})

test('K18: what hangs ends with the hook', async () => {
  const { benji, controller } = startClients({ commands: { benji: hangs() } })
  const work = failureOf(benji.restore({ uid: 'u-1', to: 'rbd:rbd/x' }))
  controller.abort(new Error('over'))
  expect((await work).code).toBe('BENJI_STOPPED')
})

test('K24: labels that Benji would refuse are refused before it runs', async () => {
  const { benji, fake } = startClients()
  fake.add({ uid: 'u-1', volume: 'v' })
  expect((await failureOf(benji.label('u-1', { a: 'b c' }))).code).toBe('BENJI_NAME')
  expect(fake.calls).toEqual([])
})

test('a Benji that is not there', async () => {
  const { benji } = startClients({ engine: { command: ['/opt/benji'] } })
  expect((await failureOf(benji.ls())).code).toBe('BENJI_MISSING')
})
