// The tables of options say what there is, here and on the page of the documentation.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errors } from '../src/errors.ts'
import { mongodumpSchema } from '../src/options.ts'
import { restoreOptions } from '../src/restore/options.ts'

const page = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8')
const readme = page('../README.md')
const manual = page('../../../docs/mongodb.md')

/** What the first column of a section's tables names. */
function namedIn(text: string, heading: string): readonly string[] {
  const section = text.split(/^##+ /m).find((each) => each.startsWith(heading)) ?? ''
  const cells = section.split('\n').flatMap((line) => (line.startsWith('|') ? (line.split('|')[1] ?? '') : []))
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
}

test('of a dump', () => {
  const all = Object.keys(mongodumpSchema.shape)
  expect(namedIn(readme, 'Options').toSorted()).toEqual(all.toSorted())
  expect(namedIn(manual, 'Options').toSorted()).toEqual(all.toSorted())
})

test('of a restore', () => {
  const all = ['--to', ...Object.keys(restoreOptions.shape)].toSorted()
  expect(namedIn(readme, 'Restoring').toSorted()).toEqual(all)
  expect([...new Set(namedIn(manual, 'Restoring').map((name) => name.split('=')[0] ?? ''))].toSorted()).toEqual(all)
})

test('the errors that the page names are there', () => {
  const named = [...manual.matchAll(/`(MONGO[A-Z_]+)`/g)].map(([, code = '']) => code)
  expect(named.filter((code) => !(code in errors))).toEqual([])
  expect(named.length).toBeGreaterThan(10)
})
