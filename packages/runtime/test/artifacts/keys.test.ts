import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  artifactId,
  decodePart,
  encodePart,
  instanceOfKey,
  keyPrefix,
  objectKey,
  parseArtifactId,
  parseObjectKey,
} from '../../src/artifacts/keys.ts'
import { pathOfKey } from '../../src/artifacts/fs-paths.ts'

const odd = [
  '',
  '.',
  '..',
  '../x',
  '/',
  'a/b',
  '-rf',
  '_',
  '-',
  '~',
  '%',
  '%2F',
  'ü',
  '日本',
  'a b',
  '.owner',
  "it's",
  '\0',
]
/**
 * Any character. For `unit: 'binary'` fast-check makes a table of them all, of 200 MB, which every later start of a process
 * pays for.
 */
const character = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))

const text = fc.oneof(fc.constantFrom(...odd), fc.string({ unit: character }), fc.string())

test('every name is a safe part of a key, and can be read back from it', () => {
  fc.assert(
    fc.property(text, (name) => {
      const part = encodePart(name)
      expect(part).toMatch(/^(?:\w|%[0-9A-F]{2})(?:[\w.-]|%[0-9A-F]{2})*$/)
      expect(decodePart(part)).toBe(name)
    }),
  )
})

test('nothing else is taken for a part', () => {
  for (const part of ['', '..', 'a b', '%2f', '%41', '%', 'a/b', '-x', '.x', '%FF', '~'])
    expect(decodePart(part)).toBeUndefined()
})

test('an id says which artifact it is, and so does the key of each of its objects', () => {
  const date = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  const short = text.filter((name) => encodePart(name).length < 150)
  fc.assert(
    fc.property(short, short, short, short, short, date, (instance, plan, target, run, name, startedAt) => {
      const location = { plan, target, startedAt, run, name }
      const id = artifactId(location)
      expect(parseArtifactId(id)).toEqual(location)
      for (const [kind, encoding] of [
        ['data', []],
        ['data', ['zstd']],
        ['data', ['gzip', 'age']],
        ['manifest', []],
        ['verified', []],
        ['accepted', []],
      ] as const) {
        const key = objectKey(instance, id, kind, encoding)
        expect(parseObjectKey(instance, key)).toEqual({ id, location, kind })
        expect(instanceOfKey(key)).toBe(instance)
        expect(key.startsWith(keyPrefix(instance, plan, target))).toBe(true)
        expect(pathOfKey('/root', key).startsWith('/root/')).toBe(true)
        expect(
          pathOfKey('/root', key)
            .split('/')
            .every((part) => part.length <= 255 && part !== '..'),
        ).toBe(true)
      }
    }),
  )
})

test('an artifact called like another one plus a suffix is still itself', () => {
  const of = (name: string): string => artifactId({ plan: 'p', target: 't', startedAt: new Date(0), run: 'r', name })
  expect(of('dump')).toBe('p/t/19700101T000000.000Z-r/dump')
  const key = objectKey('default', of('dump.data.zst'), 'data', ['zstd'])
  expect(key).toBe('default/p/t/19700101T000000.000Z-r/dump.data.zst.data.zst')
  expect(parseObjectKey('default', key)?.location.name).toBe('dump.data.zst')
  expect(parseObjectKey('default', objectKey('default', of('x.manifest.json'), 'manifest'))?.location.name).toBe(
    'x.manifest.json',
  )
})

test('fault F50: keys that are not ours belong to no artifact', () => {
  const ours = 'default/p/t/19700101T000000.000Z-r/dump.data.zst'
  expect(parseObjectKey('default', ours)).toBeDefined()
  for (const key of [
    'default/notes.txt',
    'default/p/t/dump.data.zst',
    'default/p/t/1970-r/dump.data.zst',
    'default/p/t/19700101T000000.000Z-r/dump.data.xz',
    'default/p/t/19700101T000000.000Z-r/dump.bak',
    'default/p/t/19700101T000000.000Z-r/deep/dump.data',
    'default/p/t/19700231T000000.000Z-r/dump.data',
    'default/p/.owner/s~h.json',
    'other/p/t/19700101T000000.000Z-r/dump.data',
    'default2/p/t/19700101T000000.000Z-r/dump.data',
  ])
    expect(parseObjectKey('default', key), key).toBeUndefined()
})

test('a name that no store can take is refused', () => {
  const location = { plan: 'p', target: 't', startedAt: new Date(0), run: 'r', name: 'n' }
  expect(() => artifactId({ ...location, target: 'x'.repeat(900) })).toThrow(/more than 900/)
  expect(() => artifactId({ ...location, name: '\ud800' })).toThrow(/not Unicode/)
})
