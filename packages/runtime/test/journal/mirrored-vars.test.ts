import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readMirroredVars, writeMirroredVars } from '../../src/journal/mirrored-vars.ts'
import { createVars } from '../../src/vars.ts'

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'mirrored-vars-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

test('variables arrive in another directory as they were, whatever is in them', async () => {
  const from = createVars(directory())
  const values = { plain: 'value', 'odd key/ä': 'two\nlines\n', empty: '', ['k'.repeat(300)]: 'long' }
  for (const [key, value] of Object.entries(values)) await from.set(key, value)
  const bytes = Buffer.from([0xff, 0x00, 0x0a])
  writeFileSync(join(from.directory, 'bytes'), bytes)
  writeFileSync(join(from.directory, 'unfinished'), 'only being writ')
  const carried = JSON.parse(JSON.stringify(readMirroredVars(from.directory))) as ReturnType<typeof readMirroredVars>
  const to = createVars(join(directory(), 'deeper'))
  writeMirroredVars(to.directory, carried)
  for (const [key, value] of Object.entries(values)) expect(await to.get(key)).toBe(value)
  expect(readFileSync(join(to.directory, 'bytes'))).toEqual(bytes)
  expect(await to.get('unfinished')).toBeUndefined()
})

test('what is there already is newer, and names that lead elsewhere are not written', () => {
  const to = directory()
  writeFileSync(join(to, 'key'), 'newer\n')
  writeMirroredVars(join(to), { key: 'older\n', '../outside': 'x\n', '.hidden': 'x\n' })
  expect(readFileSync(join(to, 'key'), 'utf8')).toBe('newer\n')
  expect(readdirSync(to)).toEqual(['key'])
})

test('a run without variables has none', () => {
  expect(readMirroredVars(join(directory(), 'missing'))).toEqual({})
})
