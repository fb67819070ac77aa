// docs/restore-without-holdfast.md, run as it stands there with the true programs, and age files of either side read by
// the other. A program that is missing fails the test: e2e/kit/install.sh restore.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { decrypt, openEncrypter } from '../packages/runtime/src/artifacts/age.ts'
import { blockOf } from '../scripts/page-blocks.ts'
import { readCommands, runCommands, storeBackup, type StoredBackup } from '../scripts/restore-page.ts'

const keys = mkdtempSync(join(tmpdir(), 'holdfast-keys-'))
afterAll(() => rmSync(keys, { recursive: true, force: true }))

/** A key as docs/storage.md makes it. */
function newKey(name: string): { readonly file: string; readonly recipient: string; readonly identity: string } {
  const file = join(keys, name)
  const commands = blockOf('docs/storage.md', 'keygen').replaceAll('key.txt', name)
  const printed = execFileSync('bash', ['-euc', commands], { cwd: keys, encoding: 'utf8', stdio: 'pipe' })
  return { file, recipient: printed.trim(), identity: readFileSync(file, 'utf8') }
}

const [first, second, stranger] = [newKey('first'), newKey('second'), newKey('stranger')]
const recipients = [first.recipient, second.recipient]
const content = Buffer.concat([
  randomBytes(200_000),
  Buffer.alloc(5_000_000, 'rows of the shop, '),
  randomBytes(70_000),
])
const page = readCommands()

async function stored(...args: Parameters<typeof storeBackup>): Promise<StoredBackup> {
  const backup = await storeBackup(...args)
  onTestFinished(() => rmSync(backup.directory, { recursive: true, force: true }))
  return backup
}

function steps(suffix: string): readonly string[] {
  const names = ['find', 'choose', 'check']
  return [...names.map((name) => page.block(name)), page.decode(suffix), page.block('result')]
}

test.each([
  ['.data', { compression: 'none' }],
  ['.data.zst', { compression: 'zstd' }],
  ['.data.gz', { compression: 'gzip' }],
  ['.data.age', { compression: 'none', recipients }],
  ['.data.zst.age', { compression: 'zstd', recipients }],
  ['.data.gz.age', { compression: 'gzip', recipients }],
] as const)('%s: the commands of the page restore it byte for byte, with any of the keys', async (suffix, encoding) => {
  const backup = await stored(encoding, content)
  for (const key of [first, second]) {
    writeFileSync(join(backup.directory, 'key.txt'), key.identity)
    const { output, restored } = runCommands(backup, steps(suffix))
    expect(restored.equals(content)).toBe(true)
    expect(output).toMatch(/^2026\S+Z\tshop\torders\tdump\.sql\t5270000\tvalid$/m)
    expect(output).toContain(`${suffix}: OK`)
    expect(output).toContain('dump.sql: OK')
    rmSync(join(backup.directory, 'dump.sql'))
    if (!suffix.endsWith('.age')) return
  }
  writeFileSync(join(backup.directory, 'key.txt'), stranger.identity)
  expect(() => runCommands(backup, steps(suffix))).toThrow(/no identity matched any of the recipients/)
})

test('the commands of docs/storage.md read manifests with jq', async () => {
  const { directory } = await stored({ compression: 'zstd' }, content)
  const block = blockOf('docs/storage.md', 'jq')
  const script = `set -eu -o pipefail\n${block.replaceAll('/mnt/backups', directory)}`
  const output = execFileSync('bash', ['-c', script], { encoding: 'utf8' })
  expect(output.match(/\tshop\torders\tdump\.sql\t\d+\tvalid$/gm)).toHaveLength(2)
  expect(output).toMatch(/"plan": "shop",\n +"bytes": \d+/)
})

describe('age files', () => {
  const sizes = [0, 1, 65_535, 65_536, 65_537, 1_048_575, 1_048_576, 1_048_577, 5_000_000]
  async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield bytes
  }
  const all = async (bytes: AsyncIterable<Uint8Array>): Promise<Buffer> => {
    const chunks: Uint8Array[] = []
    for await (const chunk of bytes) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  test.each(sizes)('of %d bytes are read by the age program, and its own here', async (size) => {
    const plain = randomBytes(size)
    const encrypt = await openEncrypter(recipients)
    const ours = await all(encrypt(once(plain)))
    const options = { maxBuffer: 1e8 }
    for (const { file } of [first, second])
      expect(execFileSync('age', ['-d', '-i', file], { ...options, input: ours }).equals(plain)).toBe(true)
    const to = recipients.flatMap((recipient) => ['-r', recipient])
    const theirs = execFileSync('age', to, { ...options, input: plain })
    for (const { identity } of [first, second])
      expect((await all(decrypt(once(theirs), [identity], 'a'))).equals(plain)).toBe(true)
    expect(ours.length).toBe(theirs.length)
  })
})
