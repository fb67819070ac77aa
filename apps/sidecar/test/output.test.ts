import { HoldfastError } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { formatFailure } from '../src/output/failure.ts'
import { formatBytes } from '../src/output/format.ts'
import { printable } from '../src/output/printable.ts'
import { createScreen } from '../src/output/screen.ts'
import { hasColors, styleFor } from '../src/output/style.ts'
import { formatTable } from '../src/output/table.ts'
import { wrap } from '../src/output/wrap.ts'

const plain = styleFor({ isTTY: false }, {})
const colored = styleFor({ isTTY: true }, {})

test('colours are for terminals that take them; NO_COLOR and FORCE_COLOR decide otherwise', () => {
  expect(hasColors({ isTTY: true }, {})).toBe(true)
  expect(hasColors({ isTTY: true }, { NO_COLOR: '1' })).toBe(false)
  expect(hasColors({ isTTY: true }, { TERM: 'dumb' })).toBe(false)
  expect(hasColors({ isTTY: false }, {})).toBe(false)
  expect(hasColors({ isTTY: false }, { FORCE_COLOR: '1' })).toBe(true)
  expect(hasColors({ isTTY: true }, { FORCE_COLOR: '0' })).toBe(false)
})

test('a table lines up whatever its colours, and shortens its widest column to fit', () => {
  const rows = [
    [colored.green('a'), '1', 'short'],
    ['bbb', '1000', 'a text that is much too long for this terminal'],
  ]
  const table = formatTable(['NAME', 'SIZE', 'WHY'], rows, { style: plain, width: 40, right: [1] })
  const lines = table.trimEnd().split('\n')
  expect(lines[0]).toBe('NAME  SIZE  WHY')
  expect(lines[1]).toBe(`${colored.green('a')}        1  short`)
  expect(lines[2]).toBe('bbb   1000  a text that is much too lon…')
  expect(lines[2]).toHaveLength(40)
})

test('a cell that is cut ends its colours, and one with several lines stays in its row', () => {
  const table = formatTable(['STATE', 'WHY'], [[colored.red('suspect: much smaller'), 'one\n  two']], {
    style: plain,
    width: 22,
  })
  expect(table).toBe(`STATE          WHY\n${colored.red('suspect: muc')}…  one two\n`)
  let written = ''
  const screen = createScreen({ write: (text) => void (written += text), isTTY: true, columns: 8 })
  screen.status(colored.dim('working hard'))
  expect(written).toBe(colored.dim('working'))
})

test('sizes are for people', () => {
  expect([0, 1023, 1024, 1536, 1024 ** 2 - 1, 5 * 1024 ** 3].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.0 MiB',
    '5.0 GiB',
  ])
})

test('text is broken between words, and a word that is too long is left whole', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
  expect(wrap('incomprehensible word', 8)).toEqual(['incomprehensible', 'word'])
  expect(wrap('a\nb', undefined)).toEqual(['a', 'b'])
})

test('what moves the cursor is spelt out; colours, newlines and tabs are kept', () => {
  expect(printable('\u001B[2Jgone\r\u001B]0;title\u0007')).toBe(String.raw`\x1b[2Jgone\x0d\x1b]0;title\x07`)
  expect(printable(`${colored.red('a')}\n\tb`)).toBe(`${colored.red('a')}\n\tb`)
})

test('an error says what happened, where, why, what to do, and where to read more', () => {
  const error = new HoldfastError({
    code: 'DUMP_FAILED',
    message: 'the dump of shop failed',
    hint: 'Nothing was stored. Check the credentials.',
    docs: 'docs/errors.md#dump_failed',
    cause: new Error('connection refused', { cause: new Error('ECONNREFUSED 127.0.0.1') }),
  })
  expect(formatFailure(error, { style: plain })).toBe(`error: the dump of shop failed
  Nothing was stored. Check the credentials.
  because: connection refused
  because: ECONNREFUSED 127.0.0.1
  DUMP_FAILED, see docs/errors.md#dump_failed
`)
  expect(formatFailure(error, { style: plain, debug: true })).toMatch(/^\s+at .*output\.test\.ts/m)
  expect(formatFailure(error, { style: plain, label: 'warning', width: 30 })).toContain(
    '\n  Nothing was stored. Check\n  the',
  )
})

test('the status line stays below everything that is written, and is gone at the end', () => {
  let written = ''
  const screen = createScreen({ write: (text) => void (written += text), isTTY: true, columns: 20 })
  screen.status('working')
  screen.write('a line\n')
  screen.status('working harder than this terminal is wide')
  screen.status(undefined)
  const clear = '\r\u001B[2K'
  expect(written).toBe(`working${clear}a line\nworking${clear}working harder than${clear}`)
})

test('where there is no terminal, there is no status line', () => {
  let written = ''
  const screen = createScreen({ write: (text) => void (written += text), isTTY: false, columns: undefined })
  screen.status('working')
  screen.write('a line\n')
  expect(written).toBe('a line\n')
})
