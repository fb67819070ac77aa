import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { kubernetesTool } from './kubernetes-tools.ts'
import { readTar, readZip } from './unpack.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tools-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function program(name: string): string {
  const path = join(folder, name)
  writeFileSync(path, '#!/bin/sh\n')
  chmodSync(path, 0o755)
  return path
}

test('kubectl and helm can be run', async () => {
  const run = promisify(execFile)
  const [kubectl, helm] = await Promise.all([
    run(await kubernetesTool('kubectl'), ['version', '--client']),
    run(await kubernetesTool('helm'), ['version', '--short']),
  ])
  expect(kubectl.stdout).toMatch(/^Client Version: v1\./)
  expect(helm.stdout).toMatch(/^v[34]\./)
}, 200_000)

test('a variable names another program', async () => {
  const mine = program('mine')
  expect(await kubernetesTool('helm', { variables: { HOLDFAST_HELM: mine } })).toBe(mine)
  await expect(kubernetesTool('kubectl', { variables: { HOLDFAST_KUBECTL: join(folder, 'none') } })).rejects.toThrow(
    /HOLDFAST_KUBECTL is .*none/,
  )
})

test('elsewhere the PATH has it, or the error says what to do', async () => {
  const helm = program('helm')
  const options = { platform: 'darwin-arm64', variables: { PATH: `/nowhere:${folder}` } }
  expect(await kubernetesTool('helm', options)).toBe(helm)
  await expect(kubernetesTool('kubectl', options)).rejects.toThrow(
    'there is no kubectl for darwin-arm64: install it, or name it in HOLDFAST_KUBECTL',
  )
})

test('an archive with other bytes is refused and leaves nothing', async () => {
  const options = { platform: 'linux-x64', variables: {}, cache: folder, fetch: async () => Buffer.from('other') }
  await expect(kubernetesTool('helm', options)).rejects.toThrow('is not what it was')
  expect(readdirSync(folder)).toEqual([])
})

test('files are read out of a tar archive', () => {
  writeFileSync(join(folder, 'small'), 'a')
  writeFileSync(join(folder, 'large'), 'b'.repeat(1500))
  writeFileSync(join(folder, 'empty'), '')
  const archive = execFileSync('tar', ['-c', '--format=ustar', 'small', 'empty', 'large'], { cwd: folder })
  expect(readTar(archive, 'large').toString()).toBe('b'.repeat(1500))
  expect(readTar(archive, 'empty')).toHaveLength(0)
  expect(() => readTar(archive, 'none')).toThrow('no file none')
  expect(() => readTar(archive.subarray(0, 2500), 'large')).toThrow('ends within large')
})

test('files are read out of a zip archive, and damage is seen', () => {
  const archive = zip({ 'a/one': 'first', two: 'second '.repeat(100) })
  expect(readZip(archive, 'a/one').toString()).toBe('first')
  expect(readZip(archive, 'two').toString()).toBe('second '.repeat(100))
  expect(() => readZip(archive, 'three')).toThrow('no file three')
  expect(() => readZip(archive.subarray(0, 60), 'two')).toThrow('no zip archive')
  const shorter = Buffer.from(archive)
  shorter.writeUInt32LE(1, archive.indexOf('PK\u0001\u0002', 0, 'latin1') + 24)
  expect(() => readZip(shorter, 'a/one')).toThrow('a/one has 5 bytes, not 1')
})

// As little of the format as a reader looks at; the second file's local header has an extra field.
function zip(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const data = deflateRawSync(text)
    const extra = offset === 0 ? '' : 'extra'
    const local = Buffer.alloc(30)
    local.write('PK\u0003\u0004', 'latin1')
    local.writeUInt16LE(name.length, 26)
    local.writeUInt16LE(extra.length, 28)
    const entry = Buffer.alloc(46)
    entry.write('PK\u0001\u0002', 'latin1')
    entry.writeUInt16LE(8, 10)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt32LE(text.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    parts.push(local, Buffer.from(name + extra), data)
    directory.push(entry, Buffer.from(name))
    offset += local.length + name.length + extra.length + data.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\u0005\u0006', 'latin1')
  end.writeUInt16LE(Object.keys(files).length, 10)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, ...directory, end])
}
