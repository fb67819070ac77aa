import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBenjiLog, type BenjiEvent } from '../../src/benji/log.ts'
import { recordLog } from '../support/clients.ts'

const record = (level: string, event: string): string => JSON.stringify({ event, level, timestamp: 1.5, line: 3 })

async function read(text: string, options: { level?: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR'; cut?: number } = {}) {
  const { log, lines } = recordLog()
  const events: BenjiEvent[] = []
  const benji = createBenjiLog({ log, level: options.level, onEvent: (event) => events.push(event) })
  const bytes = Buffer.from(text)
  const cut = options.cut ?? bytes.length
  for (let at = 0; at < bytes.length; at += cut) await benji.sink.write(bytes.subarray(at, at + cut))
  benji.sink.end()
  return { lines, events, lastWords: benji.lastWords }
}

test('records go on at their level, progress at debug level, other lines as information', async () => {
  const { lines } = await read(
    [
      record('info', 'Starting backup of x.'),
      record('info', 'Backing up 1/4 blocks (25.0%)'),
      record('warning', 'Hints are empty, assuming nothing has changed.'),
      '/usr/lib/python3/dist-packages/x.py:3: DeprecationWarning: y',
      '2026-01-01T00:00:00 7f94 -1 did not load config file, using default settings.',
      record('error', 'Version u-1 had source mismatches.'),
      record('debug', 'deep inside'),
    ].join('\n'),
    { level: 'DEBUG' },
  )
  expect(lines).toEqual([
    'info: Starting backup of x.',
    'debug: Backing up 1/4 blocks (25.0%)',
    'warn: Hints are empty, assuming nothing has changed.',
    'info: /usr/lib/python3/dist-packages/x.py:3: DeprecationWarning: y',
    'info: 2026-01-01T00:00:00 7f94 -1 did not load config file, using default settings.',
    'error: Version u-1 had source mismatches.',
    'debug: deep inside',
  ])
})

test('a level leaves out what is below it, and still everything is read', async () => {
  const text = `${record('info', 'Removing versions: a.')}\nplain\n${record('warning', 'w')}\n${record('error', 'e')}\n`
  const { lines, events } = await read(text, { level: 'WARNING' })
  expect(lines).toEqual(['warn: w', 'error: e'])
  expect(events.map(({ event }) => event)).toEqual(['Removing versions: a.', 'w', 'e'])
})

test.for([
  '{"event": "no level"}',
  '{"event": 3, "level": "info"}',
  '{"level": ["info"], "event": "x"}',
  '{"level": "toString", "event": "x"}',
  '{"event": "cut',
  '{}',
  'null',
])('K17: a line that is almost a record is a line: %s', async (line) => {
  const { lines, events, lastWords } = await read(`${line}\n`)
  expect(lines).toEqual([`info: ${line}`])
  expect(events).toEqual([])
  expect(lastWords).toBe(line)
})

test('the last words are those of Benji, whatever Python says while it ends', async () => {
  const { lastWords } = await read(`${record('error', 'OSError: full')}\nException ignored in: <function x>\n`)
  expect(lastWords).toBe('OSError: full')
})

test('the SQL of an error of the database is left out', async () => {
  const { lines, lastWords } = await read(record('error', `OperationalError: locked\n[SQL: ${'x'.repeat(100_000)}]`))
  expect(lines).toEqual(['error: OperationalError: locked'])
  expect(lastWords).toBe('OperationalError: locked')
})

test('what is read does not depend on where the chunks are cut', async () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, '')),
    fc.string().map((event) => record('info', event)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 40 }), async (all, cut) => {
      const text = all.join('\n')
      expect(await read(text, { cut })).toEqual(await read(text))
    }),
  )
})
