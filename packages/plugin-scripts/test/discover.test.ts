import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readHookDirectory } from '../src/discover.ts'
import { directoryWith, sh, writeFiles } from './support/files.ts'

async function namesIn(directory: string): Promise<string[]> {
  const { files, problems } = await readHookDirectory(directory)
  expect(problems).toEqual([])
  return files.map(({ name }) => name)
}

test('all regular files are scripts, hidden ones and odd ones too, in the order of code points', async () => {
  const names = ['9.sh', '10.sh', 'Zebra', 'apple', '.hidden', 'notes~', 'README', '\u{ffee}', '\u{1f600}']
  const directory = directoryWith(Object.fromEntries(names.map((name) => [name, sh('true')])))
  expect(await namesIn(directory)).toEqual([
    '.hidden',
    '10.sh',
    '9.sh',
    'README',
    'Zebra',
    'apple',
    'notes~',
    '\u{ffee}',
    '\u{1f600}',
  ])
})

test('sub-directories, names that begin with two dots and what is no file are left alone', async () => {
  const directory = directoryWith({ 'run.sh': sh('true'), 'lib/common.sh': 'x', '..2024_01': sh('true') })
  mkdirSync(join(directory, 'lost+found'))
  symlinkSync('lib', join(directory, 'link-to-directory'))
  expect(await namesIn(directory)).toEqual(['run.sh'])
})

test('a missing directory is an empty hook', async () => {
  expect(await namesIn(join(directoryWith(), 'backups'))).toEqual([])
})

test('a ConfigMap mount: links to files count under the path of the link, ..data does not', async () => {
  const directory = directoryWith({ '..2024_01/a.sh': sh('echo old') })
  symlinkSync('..2024_01', join(directory, '..data'))
  symlinkSync('..data/a.sh', join(directory, 'a.sh'))
  const { files, problems } = await readHookDirectory(directory)
  expect(problems).toEqual([])
  expect(files.map(({ path }) => path)).toEqual([join(directory, 'a.sh')])
})

test('a ConfigMap that is exchanged again and again is never read half old, half new', async () => {
  const directory = directoryWith()
  const keys = Array.from({ length: 20 }, (_, index) => `${index}.sh`)
  const publish = (version: number): void => {
    writeFiles(
      directory,
      Object.fromEntries(keys.map((key) => [`..v${version}/${key}`, sh(`echo version ${version}.`)])),
    )
    symlinkSync(`..v${version}`, join(directory, '..next'))
    renameSync(join(directory, '..next'), join(directory, '..data'))
    rmSync(join(directory, `..v${version - 1}`), { recursive: true, force: true })
  }
  publish(1)
  for (const key of keys) symlinkSync(`..data/${key}`, join(directory, key))
  let version = 1
  let stop = false
  const exchanging = (async () => {
    while (!stop) {
      publish(++version)
      // Long enough for one look at a time when nothing is exchanged, on a busy machine, too.
      await new Promise((resolve) => setTimeout(resolve, 40))
    }
  })()
  for (let round = 0; round < 40 || version < 5; round++) {
    const { files, problems } = await readHookDirectory(directory)
    expect(problems).toEqual([])
    expect(new Set(files.map(({ bytes }) => Buffer.from(bytes).toString()))).toHaveLength(1)
  }
  stop = true
  await exchanging
  expect(version).toBeGreaterThan(3)
})
