import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { measureAdded } from './image-size.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'image-size-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** An archive of layers, each with files of a size. */
function archive(name: string, layers: Readonly<Record<string, Readonly<Record<string, number>>>>): Buffer {
  const image = join(folder, name)
  mkdirSync(image)
  for (const [layer, files] of Object.entries(layers)) {
    const place = join(folder, `${name}-${layer}`)
    for (const [file, size] of Object.entries(files)) {
      mkdirSync(dirname(join(place, file)), { recursive: true })
      writeFileSync(join(place, file), Buffer.alloc(size))
    }
    execFileSync('tar', ['-cf', join(image, `${layer}.tar`), '-C', place, '.'])
  }
  const manifest = [{ Layers: Object.keys(layers).map((layer) => `${layer}.tar`) }]
  writeFileSync(join(image, 'manifest.json'), JSON.stringify(manifest))
  execFileSync('tar', [
    '-cf',
    `${image}.tar`,
    '-C',
    image,
    ...Object.keys(layers).map((each) => `${each}.tar`),
    'manifest.json',
  ])
  return readFileSync(`${image}.tar`)
}

const base = { debian: { 'usr/bin/node': 100_000 } }

test('what an image adds to its base is counted, the application by itself', () => {
  const image = archive('image', {
    ...base,
    ours: { 'app/dist/a.js': 5000, 'usr/bin/tini': 700 },
    more: { 'app/b': 30 },
  })
  const added = measureAdded(image, archive('base', base))
  expect(added.application.unpacked).toBe(5030)
  expect(added.system.unpacked).toBe(700)
  expect(added.together.unpacked).toBe(5730)
  expect(added.together.compressed).toBeGreaterThan(100)
  expect(added.together.compressed).toBeLessThan(5730)
})

test('another base, and nothing added, are refused', () => {
  const other = archive('other', { alpine: { 'bin/node': 1 } })
  const image = archive('image', base)
  expect(() => measureAdded(image, other)).toThrow('not built on this base')
  expect(() => measureAdded(image, image)).toThrow('adds nothing')
})
