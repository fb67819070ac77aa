// Every fault of what Holdfast replaces is in the table, with a test that is named after it or the reason why not.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './workspaces.ts'

const page = join(root, 'docs/benji-faults.md')

const range = (letter: string, first: number, last: number): readonly string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `${letter}${first + index}`)

const faults = [
  ...range('F', 33, 45),
  ...range('K', 1, 12),
  'K12b',
  ...range('K', 13, 38),
  ...range('C', 1, 15),
  ...range('H', 1, 11),
  ...range('B', 1, 13),
]

interface Row {
  readonly fault: string
  readonly cells: readonly string[]
}

/** Rows of the tables: `| K1 | what was wrong | what Holdfast does | proof |`. */
function rowsOf(text: string): readonly Row[] {
  return [...text.matchAll(/^\| ([A-Z]\d+b?) +\|(.*)\|$/gm)].map(([, fault = '', rest = '']) => ({
    fault,
    cells: rest.split(/(?<!\\)\|/).map((cell) => cell.trim()),
  }))
}

/** Whether a text has a string, which titles of tests are, with this fault in it. */
function names(text: string, fault: string): boolean {
  const isCode = (line: string): boolean => !/^ *(?:\/\/|\*|import\b)/.test(line)
  const strings = text
    .split('\n')
    .filter(isCode)
    .flatMap((line) => [...line.matchAll(/(['"`])((?:\\.|(?!\1).)*)\1/g)].map(([, , inside = '']) => inside))
  return strings.some((inside) => new RegExp(`\\b${fault}\\b`).test(inside))
}

/** What is wrong with a row; `undefined`: nothing. */
function wrongWith({ fault, cells }: Row, read: (path: string) => string): string | undefined {
  const [was = '', does = '', proof = '', ...more] = cells
  if (more.length > 0) return 'has too many cells'
  const isReason = /^– .{20}/.test(proof)
  if (was === '' || (does === '' && !isReason)) return 'has an empty cell'
  if (isReason) return undefined
  const files = [...proof.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path)
  if (files.length === 0) return 'has neither a test nor a reason'
  const without = files.find((path) => !names(read(path), fault))
  return without === undefined ? undefined : `names ${without}, which has no test of that name`
}

const rows = rowsOf(readFileSync(page, 'utf8'))

test('every fault is in the table, once', () => {
  expect(rows.map(({ fault }) => fault).toSorted()).toEqual(faults.toSorted())
})

test.for(rows)('$fault is proven by the tests that its row names', (row) => {
  expect(wrongWith(row, (path) => readFileSync(join(dirname(page), path), 'utf8'))).toBeUndefined()
})

describe('the check of the table', () => {
  const check = (cells: string, text: string): string | undefined => {
    const [row = { fault: '', cells: [] }] = rowsOf(`| K1 | ${cells} |`)
    return wrongWith(row, () => text)
  }

  test('takes a title that names the fault', () => {
    expect(check('a | b | [x](x.test.ts)', "test('K1, B2: it thaws', () => {})")).toBeUndefined()
    expect(check('a | b | [x](x.test.ts)', "  ['fault K1: it thaws', {}],")).toBeUndefined()
    expect(check('a | b | – it is no fault of anything here', '')).toBeUndefined()
  })

  test.for([
    ['a comment', 'a | b | [x](x.test.ts)', "// test('K1: it thaws')"],
    ['code', 'a | b | [x](x.test.ts)', "test('it thaws', () => K1)"],
    ['another fault', 'a | b | [x](x.test.ts)', "test('K12: it thaws')"],
    ['nothing', 'a | b | later', ''],
    ['a dash alone', 'a | b | –', ''],
    ['an empty cell', ' | b | [x](x.test.ts)', "test('K1')"],
  ] as const)('does not take %s', ([, cells, text]) => {
    expect(check(cells, text)).toBeTypeOf('string')
  })
})
