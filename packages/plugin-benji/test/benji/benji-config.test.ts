import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { configSearch, readBenjiConfig } from '../../src/benji/benji-config.ts'
import { failureOf } from '../support/clients.ts'

let directory: string
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'holdfast-benji-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const minimal = `
configurationVersion: '1'
databaseEngine: sqlite:////benji/benji.sqlite
defaultStorage: storage-1
storages:
  - name: storage-1
    module: s3
    storageId: 1
    configuration: { bucketName: b }
  - name: storage-2
    module: file
ios:
  - name: rbd
    module: rbdaio
    configuration:
      simultaneousReads: 7
  - { name: file, module: file }
`

const write = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}
const read = (text: string): ReturnType<typeof readBenjiConfig> =>
  readBenjiConfig({ configFile: write('benji.yaml', text) })

test('what backups have to agree with', async () => {
  expect(await read(minimal)).toEqual({
    path: join(directory, 'benji.yaml'),
    defaultStorage: 'storage-1',
    blockSize: 4_194_304,
    storages: ['storage-1', 'storage-2'],
    ios: [
      { name: 'rbd', module: 'rbdaio' },
      { name: 'file', module: 'file' },
    ],
  })
  expect(
    await read(`${minimal}blockSize: 8388608\nconfigurationVersion: 1\n`.replace("configurationVersion: '1'\n", '')),
  ).toMatchObject({
    blockSize: 8_388_608,
  })
})

test('the first file that is there counts, as for Benji', async () => {
  expect(configSearch({ env: { HOME: '/home/b' } })).toEqual([
    '/etc/benji.yaml',
    '/etc/benji/benji.yaml',
    '/home/b/.benji.yaml',
    '/home/b/benji.yaml',
  ])
  expect(configSearch({ configFile: '/x' })).toEqual(['/x'])
  const second = write('second.yaml', minimal)
  const search = [
    join(directory, 'first.yaml'),
    second,
    write('third.yaml', minimal.replace('storage-1\n', 'storage-2\n')),
  ]
  expect(await readBenjiConfig(undefined, search)).toMatchObject({ path: second, defaultStorage: 'storage-1' })
})

test.for([
  ['empty', '', /the file: /],
  ['no YAML', 'a: [', /benji\.yaml/],
  ['another version', minimal.replace("'1'", "'2'"), /configurationVersion: must be 1/],
  ['no storages', minimal.replace('storages:', 'stores:'), /storages: /],
  [
    'a default storage that there is not',
    minimal.replace('defaultStorage: storage-1', 'defaultStorage: s9'),
    /"s9" is not among its storages/,
  ],
  ['an io without a module', minimal.replace('{ name: file, module: file }', '{ name: file }'), /ios\.1\.module/],
  ['a block size that is none', `${minimal}blockSize: big\n`, /blockSize: /],
] as const)('a configuration with %s is refused', async ([, text, problem]) => {
  const { code, message } = await failureOf(read(text))
  expect(code).toBe('BENJI_CONFIG')
  expect(message).toMatch(problem)
})

test('none at all', async () => {
  const search = [join(directory, 'a.yaml'), join(directory, 'b.yaml')]
  expect(await failureOf(readBenjiConfig(undefined, search))).toMatchObject({ code: 'BENJI_CONFIG' })
  mkdirSync(join(directory, 'c.yaml'))
  const { message } = await failureOf(readBenjiConfig(undefined, [join(directory, 'c.yaml')]))
  expect(message).toMatch(/can't be read: EISDIR/)
})
