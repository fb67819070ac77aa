// The part of docs/restore-without-holdfast.md that needs what every machine has: no jq, zstd or age. The rest is run
// where those are for sure: e2e/restore-without-holdfast.e2e.ts.
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readCommands, runCommands, storeBackup, type StoredBackup } from './restore-page.ts'

const page = readCommands()

async function stored(...args: Parameters<typeof storeBackup>): Promise<StoredBackup> {
  const backup = await storeBackup(...args)
  onTestFinished(() => rmSync(backup.directory, { recursive: true, force: true }))
  return backup
}

/** The steps of the page for whoever has no jq. */
function steps(suffix: string): readonly string[] {
  return [
    page.block('choose'),
    'data=$(ls "$base".data*)',
    page.block('without-jq'),
    page.decode(suffix),
    page.block('result-without-jq'),
  ]
}

test.each([
  ['.data', 'none'],
  ['.data.gz', 'gzip'],
] as const)('%s: the commands of the page restore it byte for byte', async (suffix, compression) => {
  const content = Buffer.concat([randomBytes(100_000), Buffer.alloc(3_000_000, 'rows ')])
  const backup = await stored({ compression }, content)
  const { output, restored } = runCommands(backup, steps(suffix))
  expect(restored.equals(content)).toBe(true)
  expect(output).toContain('"state": "valid"')
  expect(output).toContain('"result": "verified"')
  expect(output).toMatch(
    new RegExp(`^\\S+Z ${content.length} \\./default/shop/orders/\\S+/dump\\.sql\\.manifest\\.json$`, 'm'),
  )
  expect(output).toMatch(/^\.\/default\/\S+\.data\S*: OK$/m)
  expect(output).toMatch(/^dump\.sql: OK$/m)
})

test('a byte that rotted is told by the first check', async () => {
  const backup = await stored({ compression: 'none' }, Buffer.alloc(1000, 'x'))
  const files = readdirSync(backup.directory, { recursive: true, encoding: 'utf8' })
  const data = join(
    backup.directory,
    files
      .filter((file) => file.endsWith('.data'))
      .toSorted()
      .at(-1) ?? '',
  )
  const bytes = readFileSync(data)
  bytes[500] = 0
  writeFileSync(data, bytes)
  const error = ((): { readonly stdout?: string } => {
    try {
      runCommands(backup, steps('.data'))
      return {}
    } catch (failed) {
      return failed as { stdout: string }
    }
  })()
  expect(error.stdout).toMatch(/\.data: FAILED$/m)
  expect(error.stdout).not.toContain('dump.sql: ')
})
