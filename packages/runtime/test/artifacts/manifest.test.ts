import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatManifest, parseManifest, type Manifest } from '../../src/artifacts/manifest.ts'
import { failure } from './support.ts'

const id = 'shop/orders/20261123T030000.000Z-run1/dump'
const where = { key: `default/${id}.manifest.json`, id }
const manifest: Omit<Manifest, 'schema' | 'holdfast'> = {
  id,
  instance: 'default',
  plan: 'shop',
  target: 'orders',
  run: 'run1',
  name: 'dump',
  startedAt: '2026-11-23T03:00:00.000Z',
  createdAt: '2026-11-23T03:00:07.123Z',
  size: 123,
  sha256: 'a'.repeat(64),
  storedSize: 45,
  storedSha256: 'b'.repeat(64),
  encoding: ['zstd', 'age'],
  state: 'valid',
  meta: { collections: 3 },
}
const problem = async (text: string): Promise<{ code: string; message: string }> =>
  failure((async () => parseManifest(text, where))())

test('a manifest is readable text, and reads back', () => {
  const text = formatManifest(manifest)
  expect(text.split('\n').slice(0, 3)).toEqual(['{', '  "schema": 1,', `  "id": "${id}",`])
  expect(parseManifest(text, where)).toMatchObject(manifest)
})

test('one of a newer schema is refused, also when nothing else is known of it', async () => {
  const { code, message } = await problem('{"schema":2,"everything":"else"}')
  expect(code).toBe('MANIFEST_NEWER')
  expect(message).toBe(`the manifest ${where.key} has schema 2; this version knows 1`)
})

test('fields that a newer version added within the schema do no harm', () => {
  const text = JSON.stringify({ ...(JSON.parse(formatManifest(manifest)) as object), extra: 1 })
  expect(parseManifest(text, where).size).toBe(123)
})

test.each([
  ['', 'it is not JSON'],
  ['{"schema":1', 'it is not JSON'],
  ['[]', 'it is not a JSON object'],
  ['null', 'it is not a JSON object'],
  ['{}', 'it has no schema number'],
  ['{"schema":"1"}', 'it has no schema number'],
  ['{"schema":1}', 'its field "id" is missing'],
])('garbage is refused: %s', async (text, reason) => {
  const error = await problem(text)
  expect(error.code).toBe('MANIFEST_INVALID')
  expect(error.message).toContain(reason)
})

test.each([
  ['size', -1],
  ['size', 1.5],
  ['size', '123'],
  ['sha256', 'A'.repeat(64)],
  ['sha256', 'a'.repeat(63)],
  ['createdAt', 'yesterday'],
  ['encoding', ['rot13']],
  ['encoding', 'zstd'],
  ['state', 'fine'],
  ['meta', []],
  ['meta', null],
  ['name', 7],
])('a wrong field is named: %s = %j', async (field, value) => {
  const text = JSON.stringify({ ...(JSON.parse(formatManifest(manifest)) as object), [field]: value })
  expect((await problem(text)).message).toContain(`its field "${field}" is not valid`)
})

test('a manifest that lies in another place says nothing about that place', async () => {
  const elsewhere = formatManifest({ ...manifest, id: id.replace('dump', 'other'), name: 'other' })
  expect((await problem(elsewhere)).message).toContain('it belongs to')
})

test('whatever bytes there are: a manifest or a clear error', () => {
  const text = formatManifest(manifest)
  fc.assert(
    fc.property(fc.nat(text.length), fc.string(), fc.nat(20), (at, inserted, removed) => {
      const changed = text.slice(0, at) + inserted + text.slice(at + removed)
      try {
        expect(parseManifest(changed, where).id).toBe(id)
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^MANIFEST_/)
      }
    }),
  )
})
