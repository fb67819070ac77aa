import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { createVars, varFileName } from '../src/vars.ts'

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'vars-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test.each([
  ['DUMP_PATH', 'DUMP_PATH'],
  ['a.b-c', 'a.b-c'],
  ['', '%'],
  ['.', '%2e'],
  ['..', '%2e2e'],
  ['.hidden', '%2e68696464656e'],
  ['-n', '%2d6e'],
  ['a/b', '%612f62'],
  ['a b', '%612062'],
  ['é\n', '%c3a90a'],
  ['%41', '%253431'],
])('the key %j is kept in the file %s', (key, name) => expect(varFileName(key)).toBe(name))

/**
 * Any character. For `unit: 'binary'` fast-check makes a table of them all, of 200 MB, which every later start of a process
 * pays for.
 */
const character = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))

test('no two keys share a file, and every file stays in its directory', () => {
  const key = fc.oneof(fc.string({ unit: character }), fc.string({ maxLength: 4 }), fc.string({ minLength: 90 }))
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(varFileName(a) === varFileName(b)).toBe(a === b)
      expect(varFileName(a)).toMatch(/^[\w%][\w%.-]{0,199}$/)
    }),
    { numRuns: 500, examples: [['A'.repeat(300), 'A'.repeat(301)]] },
  )
})

test('what was set is read back exactly, by any copy', async () => {
  const path = join(directory(), 'run')
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: character }), fc.string({ unit: character }), async (key, value) => {
      await createVars(path).set(key, value)
      expect(await createVars(path).get(key)).toBe(value)
    }),
    {
      numRuns: 200,
      examples: [
        ['k', 'trailing\n\n'],
        ['k', ''],
        ['-k', '-v'],
      ],
    },
  )
  expect(statSync(path).mode & 0o777).toBe(0o700)
  expect(readdirSync(path).filter((name) => name.startsWith('.'))).toEqual([])
})

test('a key that was never set, or is only being written, has no value', async () => {
  const path = directory()
  const vars = createVars(path)
  writeFileSync(join(path, 'begun'), 'val')
  expect([await vars.get('missing'), await vars.get('begun')]).toEqual([undefined, undefined])
})

test('sidefridge S7: whatever lies in the store, reading and writing go on', async () => {
  const path = directory()
  const vars = createVars(path)
  mkdirSync(join(path, 'squatter'))
  writeFileSync(join(path, 'garbage'), Buffer.from([0, 255, 10]))
  writeFileSync(join(path, 'empty'), '')
  expect(await vars.get('squatter')).toBeUndefined()
  expect(await vars.get('empty')).toBeUndefined()
  expect(await vars.get('garbage')).toBeDefined()
  for (const key of ['garbage', 'empty', 'other']) {
    await vars.set(key, 'new')
    expect(await vars.get(key)).toBe('new')
  }
  rmSync(path, { recursive: true })
  expect(await vars.get('other')).toBeUndefined()
})
