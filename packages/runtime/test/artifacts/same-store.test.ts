import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { memoryStorage } from '@holdfast/testing'
import { expect, test } from 'vitest'
import { fsStorage } from '../../src/artifacts/fs-driver.ts'
import { isSameStore } from '../../src/artifacts/same-store.ts'
import { temporaryDirectory } from './support.ts'

test('a directory is itself by any way that leads there, also before it is made', () => {
  const here = temporaryDirectory()
  mkdirSync(join(here, 'disk'))
  symlinkSync(join(here, 'disk'), join(here, 'link'))
  const at = (...parts: readonly string[]) => fsStorage({ path: join(here, ...parts) })
  expect(isSameStore(at('disk', 'not', 'yet'), at('link', 'not', 'yet'))).toBe(true)
  expect(isSameStore(at('disk', 'not', 'yet'), at('link', 'not'))).toBe(false)
  mkdirSync(join(here, 'disk', 'not', 'yet'), { recursive: true })
  expect(isSameStore(at('disk', 'not', 'yet'), at('link', 'not', 'yet'))).toBe(true)
  expect(isSameStore(at('disk'), at('link', 'not', 'yet'))).toBe(false)
})

test('of other stores their addresses tell, where they have any', () => {
  const [one, other] = [memoryStorage(), memoryStorage()]
  expect(isSameStore(one, one)).toBe(true)
  expect(isSameStore(one, other)).toBe(false)
})
