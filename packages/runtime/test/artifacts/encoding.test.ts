import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, openEncoder } from '../../src/artifacts/encoding.ts'
import { collect, failure } from './support.ts'

const identity = await generateIdentity()
const recipient = await identityToRecipient(identity)

async function* chunksOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

function split(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size))
}

const read = async (
  bytes: Uint8Array[],
  applied: readonly ('zstd' | 'gzip' | 'age')[],
  identities = [identity],
): Promise<Buffer> => Buffer.concat(await collect(decode(chunksOf(...bytes), applied, { identities, artifact: 'a' })))

describe.each(['zstd', 'gzip', 'none'] as const)('compression %s', (compression) => {
  test.each([[[]], [[recipient]]])('comes back as it was, encrypted for %j', async (recipients) => {
    const encoder = await openEncoder({ compression, recipients })
    const content = Buffer.concat([Buffer.alloc(300_000, 'abc'), randomBytes(200_000), Buffer.alloc(70_000)])
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 1, 65_536, content.length),
        fc.integer({ min: 20_000, max: 700_000 }),
        fc.integer({ min: 1000, max: 600_000 }),
        async (length, writeSize, readSize) => {
          const bytes = content.subarray(0, length)
          const encoded = Buffer.concat(await collect(encoder.encode(chunksOf(...split(bytes, writeSize)))))
          expect((await read(split(encoded, readSize), encoder.applied)).equals(bytes)).toBe(true)
        },
      ),
      { numRuns: 15 },
    )
  })
})

test('zstd is a file of frames that other readers take', async () => {
  const encoder = await openEncoder({ compression: 'zstd', recipients: [] })
  const content = Buffer.concat([randomBytes(1_000_000), Buffer.alloc(2_000_000, 'x')])
  const encoded = Buffer.concat(await collect(encoder.encode(chunksOf(...split(content, 1_048_576)))))
  const hasZstd = ((): boolean => {
    try {
      execFileSync('zstd', ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })()
  if (!hasZstd) return
  expect(execFileSync('zstd', ['-dc'], { input: encoded, maxBuffer: 1e8 }).equals(content)).toBe(true)
  // And what others write is read here.
  const theirs = execFileSync('zstd', ['-c', '-3'], { input: content, maxBuffer: 1e8 })
  expect((await read(split(theirs, 10_000), ['zstd'])).equals(content)).toBe(true)
})

test('zstd reads frames of any kind, byte by byte', async () => {
  const skippable = Buffer.alloc(8 + 5)
  skippable.writeUInt32LE(0x184d2a53, 0)
  skippable.writeUInt32LE(5, 4)
  const parts = [
    Buffer.alloc(0),
    Buffer.from('a'),
    Buffer.alloc(5000, 'b'),
    randomBytes(300_000),
    Buffer.alloc(200_000),
  ]
  const file = Buffer.concat(parts.flatMap((part) => [skippable, zstdCompressSync(part)]))
  expect(
    (await read(split(file.subarray(0, 3000), 1).concat([file.subarray(3000)]), ['zstd'])).equals(Buffer.concat(parts)),
  ).toBe(true)
})

test('several recipients: each can read, others cannot', async () => {
  const second = await generateIdentity()
  const postQuantum = await generateHybridIdentity()
  const stranger = await generateIdentity()
  const encoder = await openEncoder({
    compression: 'zstd',
    recipients: [recipient, await identityToRecipient(second)],
  })
  const encoded = await collect(encoder.encode(chunksOf(Buffer.from('secret'))))
  for (const each of [identity, second, `# created: today\n# public key: age1…\n\n${second}\n`])
    expect((await read(encoded, encoder.applied, [each])).toString()).toBe('secret')
  expect((await read(encoded, encoder.applied, [stranger, second])).toString()).toBe('secret')
  const error = await failure(read(encoded, encoder.applied, [stranger]))
  expect(error.code).toBe('ARTIFACT_DECRYPT')
  const hybrid = await openEncoder({ compression: 'none', recipients: [await identityToRecipient(postQuantum)] })
  const hidden = await collect(hybrid.encode(chunksOf(Buffer.from('later'))))
  expect((await read(hidden, hybrid.applied, [postQuantum])).toString()).toBe('later')
})

test('a wrong recipient is refused before anything is written, a wrong identity never quoted', async () => {
  for (const wrong of ['age1nonsense', 'ssh-ed25519 AAAA', '']) {
    const error = await failure(openEncoder({ compression: 'zstd', recipients: [wrong] }))
    expect(error.code).toBe('ENCODING_INVALID')
  }
  const encoder = await openEncoder({ compression: 'none', recipients: [recipient] })
  const encoded = await collect(encoder.encode(chunksOf(Buffer.from('x'))))
  const error = await failure(read(encoded, encoder.applied, ['AGE-SECRET-KEY-1HUNTER2']))
  expect(error.code).toBe('ARTIFACT_DECRYPT')
  expect(JSON.stringify([error.message, error.details, error.cause])).not.toContain('HUNTER2')
})

test.each([
  ['zstd', ['zstd']],
  ['gzip', ['gzip']],
  ['age', ['age']],
  ['zstd and age', ['zstd', 'age']],
] as const)('cut or changed data never passes as whole: %s', async (_name, applied) => {
  const encoder = await openEncoder({
    compression: applied[0] === 'age' ? 'none' : applied[0],
    recipients: (applied as readonly string[]).includes('age') ? [recipient] : [],
  })
  expect(encoder.applied).toEqual(applied)
  const content = Buffer.concat([randomBytes(100_000), Buffer.alloc(100_000, 'y')])
  const encoded = Buffer.concat(await collect(encoder.encode(chunksOf(content))))
  const attempt = async (bytes: Buffer): Promise<Buffer | undefined> =>
    read(split(bytes, 7000), applied).catch(() => undefined)
  expect((await attempt(encoded))?.equals(content)).toBe(true)
  for (const keep of [0, 1, 10, 1000, encoded.length - 1])
    expect(await attempt(encoded.subarray(0, keep))).toBeUndefined()
  for (const at of [0, 5, 100, encoded.length >> 1, encoded.length - 1]) {
    const changed = Buffer.from(encoded)
    changed[at] = (changed[at] ?? 0) ^ 0x10
    const got = await attempt(changed)
    // gzip's header has bytes that mean nothing.
    expect(got === undefined || got.equals(content), `byte ${at}`).toBe(true)
  }
})

test('a source that fails is told as it is', async () => {
  const broken = new Error('the disk is gone')
  async function* source(): AsyncGenerator<Uint8Array> {
    yield gzipSync('x').subarray(0, 5)
    throw broken
  }
  for (const applied of [['gzip'], ['zstd'], ['age'], []] as const)
    await expect(collect(decode(source(), applied, { identities: [identity], artifact: 'a' }))).rejects.toBe(broken)
})

test('a source is closed when nobody wants more of it', async () => {
  const encoder = await openEncoder({ compression: 'none', recipients: [recipient] })
  const content = randomBytes(3_000_000)
  const encrypted = Buffer.concat(await collect(encoder.encode(chunksOf(content))))
  const bytes = { age: encrypted, gzip: gzipSync(content), zstd: zstdCompressSync(content) }
  for (const applied of ['age', 'gzip', 'zstd'] as const) {
    for (const identities of [[identity], [await generateIdentity()]]) {
      const closed = Promise.withResolvers<void>()
      async function* source(): AsyncGenerator<Uint8Array> {
        try {
          yield* split(bytes[applied], 10_000)
        } finally {
          closed.resolve()
        }
      }
      try {
        for await (const chunk of decode(source(), [applied], { identities, artifact: 'a' })) if (chunk) break
      } catch (error) {
        expect(error).toMatchObject({ code: 'ARTIFACT_DECRYPT' })
      }
      await closed.promise
    }
  }
})
