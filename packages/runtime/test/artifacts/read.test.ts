import { generateIdentity, identityToRecipient } from 'age-encryption'
import { createSecret, type Secrets } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { createArtifactStore } from '../../src/artifacts/store.ts'
import { failure, keysOf, readAll, request, says, setup, signal } from './support.ts'

const directory = 'default/shop/orders/20261123T030000.000Z-run1'

describe('reading back', () => {
  test('any bit that flips in the data is found, by open and by verify', async () => {
    const { store, memory } = setup()
    const artifact = await store.create(request(), says('0123456789'.repeat(100)))
    const key = `${directory}/dump.data.zst`
    const { length } = memory.objects.get(key)!
    for (let at = 0; at < length; at++) {
      memory.fail({
        corrupt(read, bytes) {
          if (read === key) bytes[at]! ^= 0x40
          return bytes
        },
      })
      expect((await failure(store.verify(artifact.id, { signal }))).code).toBe('ARTIFACT_DIGEST')
      // The bytes that were decoded are what counts for open.
      const opened = await readAll(store, artifact.id).catch((error: unknown) => error)
      if (Buffer.isBuffer(opened)) expect(opened.toString()).toBe('0123456789'.repeat(100))
      else expect(opened).toMatchObject({ code: 'ARTIFACT_DIGEST' })
    }
  })

  test('too short, too long, another content: found at the end, and no byte more is handed out', async () => {
    for (const compression of ['none', 'zstd'] as const) {
      const { store, memory } = setup()
      const encoding = { compression, recipients: [], identity: undefined }
      const artifact = await store.create(request({ encoding }), (sink) => sink.write(Buffer.alloc(2_500_000, 'a')))
      const longer = await store.create(request({ encoding, run: 'longer' }), (sink) =>
        sink.write(Buffer.alloc(9_000_000, 'a')),
      )
      const other = await store.create(request({ encoding, run: 'other' }), (sink) =>
        sink.write(Buffer.alloc(2_500_000, 'b')),
      )
      const data = (id: string): Uint8Array =>
        memory.objects.get(`default/${id}.data${compression === 'zstd' ? '.zst' : ''}`)!
      for (const [replacement, reason] of [
        [data(longer.id), 'more than its 2500000 bytes'],
        [data(other.id), 'another SHA-256'],
        [data(artifact.id).subarray(0, -1), compression === 'none' ? '2499999 bytes instead' : 'cannot be decoded'],
        [new Uint8Array(), compression === 'none' ? '0 bytes instead' : 'cannot be decoded'],
      ] as const) {
        memory.fail({ corrupt: (key, bytes) => (key.includes('run1/dump.data') ? replacement : bytes) })
        let handed = 0
        const error = await failure(
          (async () => {
            for await (const chunk of store.open(artifact.id, { signal })) handed += chunk.length
          })(),
        )
        expect(error.code).toBe('ARTIFACT_DIGEST')
        expect(error.message).toContain(reason)
        expect(handed).toBeLessThanOrEqual(2_500_000)
      }
    }
  })

  test('data that is gone is told as that', async () => {
    const { store, memory } = setup()
    const { id } = await store.create(request(), says('x'))
    await memory.delete(`${directory}/dump.data.zst`, { signal })
    expect((await failure(readAll(store, id))).code).toBe('ARTIFACT_DATA_MISSING')
    expect((await failure(store.verify(id, { signal }))).code).toBe('ARTIFACT_DATA_MISSING')
    expect((await store.get(id)).state).toBe('invalid')
  })

  test('what is pruned while it is read back is gone, and not damaged', async () => {
    const { store, memory } = setup()
    const { id } = await store.create(request(), says('all that there is'))
    const get = memory.get.bind(memory)
    memory.get = async function* (key, options) {
      if (key.includes('.data')) await store.remove(id)
      yield* get(key, options)
    }
    expect((await failure(store.verify(id, { signal }))).code).toBe('ARTIFACT_NOT_FOUND')
    // Nor is there a mark of something that is not there.
    expect(keysOf(memory)).toEqual([])
    memory.get = async function* (key, options) {
      yield* get(key, options)
      if (key.includes('.data')) await store.remove(id)
    }
    await store.create(request(), says('all that there is'))
    expect((await failure(store.verify(id, { signal }))).code).toBe('ARTIFACT_NOT_FOUND')
    expect(keysOf(memory)).toEqual([])
  })

  test('an id that is not there: the nearest ones are named', async () => {
    const { store } = setup()
    for (const run of ['run1', 'run2', 'run3', 'run4']) await store.create(request({ run }), says('x'))
    await store.create(request({ plan: 'mail', target: 'inbox' }), says('x'))
    const error = await failure(readAll(store, 'shop/orders/20261123T030000.000Z-run2/dunp'))
    expect(error.code).toBe('ARTIFACT_NOT_FOUND')
    expect(error.hint).toMatch(/^Nearest: shop\/orders\/20261123T030000.000Z-run2\/dump, /)
    for (const id of ['', '../../etc/passwd', 'shop', 'a/b/c/d'])
      expect((await failure(store.get(id))).code).toBe('ARTIFACT_NOT_FOUND')
    const empty = setup()
    expect((await failure(empty.store.get('x'))).hint).toBe('See `holdfast list`.')
  })

  test('reading can be stopped at any time', async () => {
    const { store } = setup()
    const { id } = await store.create(request(), (sink) => sink.write(Buffer.alloc(5_000_000)))
    for await (const chunk of store.open(id, { signal })) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    const abort = new AbortController()
    const reading = (async () => {
      for await (const chunk of store.open(id, { signal: abort.signal }))
        abort.abort(new Error(`stop at ${chunk.length}`))
    })()
    await expect(reading).rejects.toThrow(/stop at/)
  })
})

describe('encryption', async () => {
  const identity = await generateIdentity()
  const recipients = [await identityToRecipient(identity)]
  const encoding = { compression: 'zstd', recipients, identity: undefined } as const
  const secrets: Secrets = {
    open: async (ref) => createSecret('env' in ref && ref.env === 'RIGHT' ? identity : await generateIdentity()),
  }

  test('is decoded by the right identity, and says what is missing without', async () => {
    const { store, memory, clock, log } = setup({ secrets, identities: () => [{ env: 'RIGHT' }] })
    const artifact = await store.create(request({ encoding }), says('secret'))
    expect(artifact.encoding).toEqual(['zstd', 'age'])
    expect((await readAll(store, artifact.id)).toString()).toBe('secret')
    expect((await store.verify(artifact.id, { signal })).verification?.checked).toBe('decoded')
    const blind = createArtifactStore({ driver: memory, instance: 'default', clock, log })
    expect((await failure(readAll(blind, artifact.id))).code).toBe('ARTIFACT_KEY_MISSING')
    const wrong = createArtifactStore({
      driver: memory,
      instance: 'default',
      clock,
      log,
      secrets,
      identities: () => [{ env: 'WRONG' }],
    })
    expect((await failure(readAll(wrong, artifact.id))).code).toBe('ARTIFACT_DECRYPT')
    expect((await failure(wrong.verify(artifact.id, { signal }))).code).toBe('ARTIFACT_DECRYPT')
    // A wrong key is no damage.
    expect((await blind.get(artifact.id)).state).toBe('valid')
  })

  test('without an identity the stored bytes are verified, and the record says that no more was', async () => {
    const { store, memory } = setup()
    const artifact = await store.create(request({ encoding }), says('secret'))
    const verified = await store.verify(artifact.id, { signal })
    expect(verified.verification).toMatchObject({ result: 'verified', checked: 'stored' })
    expect(verified.verifiedAt).toBeDefined()
    memory.fail({
      corrupt(key, bytes) {
        if (key.includes('.data')) bytes[20]! ^= 1
        return bytes
      },
    })
    expect((await failure(store.verify(artifact.id, { signal }))).code).toBe('ARTIFACT_DIGEST')
  })

  test('a damaged beginning is told from a wrong key', async () => {
    const { store, memory } = setup({ secrets, identities: () => [{ env: 'RIGHT' }] })
    const artifact = await store.create(request({ encoding }), says('secret'))
    memory.fail({
      corrupt(key, bytes) {
        if (key.includes('.data')) bytes[60]! ^= 1
        return bytes
      },
    })
    expect((await failure(store.verify(artifact.id, { signal }))).code).toBe('ARTIFACT_DIGEST')
    expect((await store.get(artifact.id)).state).toBe('invalid')
  })
})

test('a store that may only be read is verified all the same', async () => {
  const { store, memory, log } = setup()
  const { id } = await store.create(request(), says('x'))
  const readOnly = await failure(store.get('nothing'))
  Object.assign(readOnly, { code: 'STORAGE_READ_ONLY' })
  Object.assign(memory, { put: () => Promise.reject(readOnly) })
  expect(await store.verify(id, { signal })).toMatchObject({ verification: { result: 'verified' } })
  expect(log.warnings.join()).toContain('could not be written down')
  expect((await store.get(id)).verifiedAt).toBeUndefined()
})
