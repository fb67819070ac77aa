import fc from 'fast-check'
import { replies } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { parseVersions } from '../../src/benji/parse-versions.ts'
import { failureOf, startClients } from '../support/clients.ts'

/** As Benji 0.17.0 prints it. */
const version = {
  uid: 'web-data-abc123',
  date: '2026-11-25T20:28:23.060811Z',
  volume: 'web/data',
  snapshot: 'b-2026-01-02T00:00:00Z',
  size: 16_777_216,
  block_size: 4_194_304,
  status: 'valid',
  protected: false,
  bytes_read: 16_777_216,
  bytes_written: 4_194_304,
  bytes_deduplicated: 12_582_912,
  bytes_sparse: 0,
  duration: 3,
  storage: 's1',
  labels: { 'benji-backup.me/instance': 'benji-k8s', empty: '' },
}
const printed = (versions: readonly unknown[], more: object = {}): string =>
  JSON.stringify({ metadata_version: '3.0.0', versions, ...more }, null, 2)

test('a version as Benji prints it', () => {
  expect(parseVersions(printed([version]), 'benji ls')).toEqual([
    {
      uid: 'web-data-abc123',
      date: new Date('2026-11-25T20:28:23.060Z'),
      volume: 'web/data',
      snapshot: 'b-2026-01-02T00:00:00Z',
      size: 16_777_216,
      blockSize: 4_194_304,
      status: 'valid',
      protected: false,
      storage: 's1',
      labels: { 'benji-backup.me/instance': 'benji-k8s', empty: '' },
      bytesRead: 16_777_216,
      bytesWritten: 4_194_304,
      bytesDeduplicated: 12_582_912,
      bytesSparse: 0,
      durationSeconds: 3,
    },
  ])
})

test('statistics are null until a backup has ended', () => {
  const unfinished = {
    bytes_read: null,
    bytes_written: null,
    bytes_deduplicated: null,
    bytes_sparse: null,
    duration: null,
  }
  const [parsed] = parseVersions(printed([{ ...version, ...unfinished, status: 'incomplete' }]), 'benji ls')
  expect(parsed).toMatchObject({ status: 'incomplete', bytesRead: undefined, durationSeconds: undefined })
})

test('members that a later Benji adds are let pass', () => {
  const text = printed([{ ...version, storage_id: 7, blocks: [] }], { later: true })
  expect(parseVersions(text, 'benji ls')).toHaveLength(1)
})

test('fault F44: twenty thousand versions are read', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => ({ ...version, uid: `u-${index}` }))
  const { benji } = startClients({ commands: { benji: replies({ stdout: JSON.stringify({ versions: many }) }) } })
  const versions = await benji.ls()
  expect(versions).toHaveLength(20_000)
  expect(versions.at(-1)?.uid).toBe('u-19999')
})

describe('fault F44: output that is not understood is an error, never a shorter list', () => {
  const code = async (stdout: string): Promise<unknown> => {
    const { benji } = startClients({ commands: { benji: replies({ stdout }) } })
    return (await failureOf(benji.ls())).code
  }

  test.for([
    ['nothing', ''],
    ['a log line before it', `Loading …\n${printed([version])}`],
    ['a log line behind it', `${printed([version])}\n{"event": "x", "level": "info"}\n`],
    ['a table', '+---+\n| date |\n'],
    ['another document', '{"metadata_version": "3.0.0"}'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a version without a uid', printed([{ ...version, uid: undefined }])],
    ['an empty uid', printed([{ ...version, uid: '' }])],
    ['a status that there is not', printed([{ ...version, status: 'frob' }])],
    ['a status by number', printed([{ ...version, status: 2 }])],
    ['a date that is none', printed([{ ...version, date: '2026-13-45T00:00:00.000000Z' }])],
    ['a date without a zone', printed([{ ...version, date: '2026-11-25T20:28:23.060811' }])],
    ['a size that is none', printed([{ ...version, size: '16' }])],
    ['half a byte', printed([{ ...version, size: 1.5 }])],
    ['labels as a list', printed([{ ...version, labels: [] }])],
    ['one bad among good ones', printed([version, { ...version, storage: null }, version])],
  ])('%s', async ([, stdout = '']) => {
    expect(await code(stdout)).toBe('BENJI_OUTPUT')
  })

  test('cut off anywhere', () => {
    const text = printed([version, version])
    fc.assert(
      fc.property(fc.integer({ min: 0, max: text.length - 1 }), (length) => {
        expect(() => parseVersions(text.slice(0, length), 'benji ls')).toThrow(/is not understood/)
      }),
    )
  })

  test('with any line mixed into it', () => {
    const lines = printed([version, version]).split('\n')
    const noise = fc.constantFrom(
      '{"event": "x", "level": "info"}',
      'Traceback (most recent call last):',
      '2026 -1 librbd: x',
      ',',
      '}',
    )
    fc.assert(
      fc.property(fc.integer({ min: 0, max: lines.length }), noise, (at, line) => {
        expect(() => parseVersions(lines.toSpliced(at, 0, line).join('\n'), 'benji ls')).toThrow(/is not understood/)
      }),
    )
  })

  test('whatever JSON it is, the error is typed', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          parseVersions(text, 'benji ls')
        } catch (error) {
          expect(error).toMatchObject({ code: 'BENJI_OUTPUT' })
        }
      }),
    )
  })
})

test('fault F44: a backup whose result is another version’s does not count', async () => {
  const { benji } = startClients({ commands: { benji: replies({ stdout: printed([version]) }) } })
  const request = { uid: 'other', volume: 'web/data', snapshot: 'b-1', source: 'rbd:rbd/a@b-1', labels: {} }
  expect((await failureOf(benji.backup(request))).code).toBe('BENJI_OUTPUT')
})

test('fault F44: a list of uids that is none', async () => {
  for (const stdout of ['', '{}', '[1]', '["a", ""]', '["a"']) {
    const { benji } = startClients({ commands: { benji: replies({ stdout }) } })
    expect((await failureOf(benji.metadataLs())).code).toBe('BENJI_OUTPUT')
  }
})

test('C3: a plan of enforce that nothing was said about is not an empty one', async () => {
  const { benji } = startClients({ commands: { benji: replies({ stdout: printed([]) }) } })
  const failure = await failureOf(benji.enforce({ rules: 'latest3', dryRun: true }))
  expect(failure).toMatchObject({ code: 'BENJI_OUTPUT' })
})
