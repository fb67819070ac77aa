import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errors } from '../src/errors.ts'
import { optionNames, parseOptions } from '../src/options.ts'

const page = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8')

/** The options of a page's table, with their defaults. */
function optionsIn(text: string): ReadonlyMap<string, string> {
  const [, table = ''] = /\n\| option .*\n\| -.*\n((?:\|.*\n)+)/.exec(text) ?? []
  return new Map(
    table
      .trim()
      .split('\n')
      .map((row) => row.split('|').map((cell) => cell.trim().replaceAll(/[`']/g, '')))
      .map(([, name = '', preset = '']) => [name, preset]),
  )
}

test.each(['../README.md', '../../../docs/s3.md'])('%s has every option, and its default', (path) => {
  const options = optionsIn(page(path))
  expect([...options.keys()].toSorted()).toEqual([...optionNames].toSorted())
  const { concurrency, checksum, partSize, timeoutMs, retryForMs } = parseOptions({ bucket: 'backups' })
  expect(options.get('concurrency')).toBe(`${concurrency}`)
  expect(options.get('checksum')).toBe(checksum)
  expect(options.get('partSize')).toBe(`${partSize / 2 ** 20}MiB`)
  expect(options.get('timeout')).toBe(`${timeoutMs / 60_000}m`)
  expect(options.get('retryFor')).toBe(`${retryForMs / 60_000}m`)
})

test('the page on buckets speaks of every error', () => {
  const text = page('../../../docs/s3.md')
  expect(Object.keys(errors).filter((code) => !text.includes(`\`${code}\``))).toEqual([])
})
