import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSecret, HoldfastError } from '@holdfast/sdk'
import { createRedactor, redactedText } from '../../src/telemetry/redaction.ts'
import { secretForms } from '../../src/telemetry/secret-forms.ts'

const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

/** What a stream lets through, cut at the given places. */
function throughStream(secrets: readonly string[], data: Uint8Array, cuts: readonly number[]): string {
  const redactor = createRedactor()
  for (const secret of secrets) redactor.add(secret)
  const stream = redactor.stream()
  const places = [0, ...cuts.map((cut) => cut % (data.length + 1)).toSorted((a, b) => a - b), data.length]
  const out = places.slice(1).map((end, at) => Buffer.from(stream.push(data.subarray(places[at], end))))
  return utf8(Buffer.concat([...out, stream.flush()]))
}

// Few letters, so that secrets, their beginnings and the text around them look alike.
const letters = fc.string({
  unit: fc.constantFrom('h', 'o', 'l', 'X', '%', '+', '/', '\n', 'ü', '"'),
  minLength: 3,
  maxLength: 12,
})
const secretText = fc.oneof(
  letters,
  fc.string({ minLength: 3, maxLength: 40 }),
  fc.string({ minLength: 900, maxLength: 2500 }),
)

describe('redaction of streams', () => {
  it('lets no form of a secret through, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(secretText, { minLength: 1, maxLength: 3 }),
        fc.array(fc.oneof(letters, fc.nat(1000)), { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (secrets, recipe, cuts) => {
          const forms = [...new Set(secrets.flatMap((secret) => [...secretForms(secret)]))]
          const text = recipe
            .map((part) => (typeof part === 'string' ? part : (forms[part % (forms.length || 1)] ?? '')))
            .join('')
          const out = throughStream(secrets, Buffer.from(text), cuts)
          for (const piece of out.split(redactedText)) {
            for (const form of forms) expect(piece.includes(form)).toBe(false)
          }
          expect(out).toBe(throughStream(secrets, Buffer.from(text), []))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('finds a secret in base64 of anything that contains it', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 6, maxLength: 40 }),
        fc.uint8Array({ maxLength: 9 }),
        fc.uint8Array({ maxLength: 9 }),
        fc.constantFrom('base64' as const, 'base64url' as const),
        (secret, before, after, encoding) => {
          const whole = Buffer.concat([before, Buffer.from(secret), after])
          const out = throughStream([secret], Buffer.from(whole.toString(encoding)), [])
          expect(out).toContain(redactedText)
          for (const piece of out.split(redactedText)) {
            expect(Buffer.from(piece, encoding).includes(Buffer.from(secret))).toBe(false)
          }
        },
      ),
    )
  })

  it('leaves every other byte as it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.array(fc.nat(), { maxLength: 8 }), (data, cuts) => {
        const redactor = createRedactor()
        redactor.add('a-secret-that-is-not-there')
        const stream = redactor.stream()
        const places = [0, ...cuts.map((cut) => cut % (data.length + 1)).toSorted((a, b) => a - b), data.length]
        const out = places.slice(1).map((end, at) => Buffer.from(stream.push(data.subarray(places[at], end))))
        expect(Buffer.concat([...out, stream.flush()]).equals(Buffer.from(data))).toBe(true)
      }),
    )
  })

  it('holds nothing back that is not the beginning of a secret, and little otherwise', () => {
    const redactor = createRedactor()
    const long = `hunter2${Array.from({ length: 4000 }, (_, at) => `k${at}`).join('')}`
    redactor.add(long)
    const stream = redactor.stream()
    expect(utf8(stream.push(Buffer.from('Password: ')))).toBe('Password: ')
    expect(utf8(stream.push(Buffer.from('hunt')))).toBe('')
    expect(utf8(stream.push(Buffer.from('ing:::')))).toBe('hunting:::')
    // A long secret is looked for in pieces of 1 KiB: that is what may be held.
    expect(stream.push(Buffer.from(long.slice(0, 1023))).length).toBe(0)
    expect(stream.push(Buffer.from('Z')).length).toBe(1024)
    expect(utf8(stream.push(Buffer.from(long)))).toBe(redactedText)
    expect(utf8(stream.flush())).toBe('')
  })

  it('knows a secret that is added while the stream runs', () => {
    const redactor = createRedactor()
    const stream = redactor.stream()
    expect(utf8(stream.push(Buffer.from('late-canary ')))).toBe('late-canary ')
    redactor.add('late-canary')
    expect(utf8(stream.push(Buffer.from('late-canary ')))).toBe(`${redactedText} `)
  })

  it('gives the chunk itself back where there is nothing to hide', () => {
    const redactor = createRedactor()
    const chunk = Buffer.from('nothing')
    expect(redactor.stream().push(chunk)).toBe(chunk)
    redactor.add('s3cret')
    expect(redactor.stream().push(chunk)).toBe(chunk)
  })
})

describe('redaction of texts and values', () => {
  it.each([
    ['postgres://app:hunter2@db/shop', 'postgres://app:[redacted]@db/shop'],
    [
      'see https://u:p@ss@host:8443/x?y, and http://a:b@c',
      'see https://u:[redacted]@host:8443/x?y, and http://a:[redacted]@c',
    ],
    ['redis://:p@cache', 'redis://:[redacted]@cache'],
    ['"mongodb://u:pw@h1:27017,h2:27017/db"', '"mongodb://u:[redacted]@h1:27017,h2:27017/db"'],
    ['ssh://git@host:22/x', 'ssh://git@host:22/x'],
    ['https://host:443/a@b', 'https://host:443/a@b'],
    ['time is 12:30 ://x', 'time is 12:30 ://x'],
  ])('blanks the password of a URL: %s', (text, expected) => {
    expect(createRedactor().text(text)).toBe(expected)
  })

  it('stays fast on text that looks like URLs', () => {
    const redactor = createRedactor()
    const begin = performance.now()
    for (const text of [
      'a'.repeat(200_000),
      '://'.repeat(60_000),
      'x://a:'.repeat(30_000),
      'http://u:p@h'.repeat(15_000),
    ]) {
      redactor.text(text)
    }
    expect(performance.now() - begin).toBeLessThan(2000)
  })

  it('ignores values that are too short to be told from text', () => {
    const redactor = createRedactor()
    for (const short of ['', 'a', 'ab', ' \n']) redactor.add(short)
    expect(redactor.text('a cab and a bat')).toBe('a cab and a bat')
  })

  it('blanks the lines of a key, not the armour of its file', () => {
    const redactor = createRedactor()
    redactor.add('-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nshort\n-----END PRIVATE KEY-----\n')
    expect(redactor.text('-----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkqhkiG9w0BAQEFAASC short')).toBe(
      '-----BEGIN PRIVATE KEY----- [redacted] short',
    )
  })

  it('blanks what base64(1) and openssl print, line by line', () => {
    const secret = 'correct horse battery staple '.repeat(6)
    const redactor = createRedactor()
    redactor.add(secret)
    for (const columns of [64, 76]) {
      const wrapped = Buffer.from(secret)
        .toString('base64')
        .replaceAll(new RegExp(`.{${columns}}`, 'g'), '$&\n')
      const left = redactor.text(wrapped).replaceAll(redactedText, '')
      expect(left.replaceAll('\n', '').length).toBeLessThan(8)
    }
  })

  it('keeps keys, and blanks strings anywhere in a value', () => {
    const redactor = createRedactor()
    redactor.add('canary-77')
    const circular: Record<string, unknown> = { 'canary-77': 1 }
    circular['self'] = circular
    expect(
      redactor.value({
        list: ['x canary-77 y', 1, null, undefined, 10n],
        map: new Map([['a', 'canary-77']]),
        set: new Set(['canary-77']),
        at: new Date(0),
        bytes: Buffer.from('canary-77'),
        url: new URL('https://u:p@h/'),
        secret: createSecret('other'),
        circular,
        nan: Number.NaN,
        bad: {
          get boom(): never {
            throw new Error('no')
          },
        },
        json: { toJSON: () => ({ inner: 'canary-77' }) },
      }),
    ).toEqual({
      list: ['x [redacted] y', 1, null, undefined, '10'],
      map: { a: '[redacted]' },
      set: ['[redacted]'],
      at: '1970-01-01T00:00:00.000Z',
      bytes: '[9 bytes]',
      url: 'https://u:[redacted]@h/',
      secret: '[secret]',
      circular: { 'canary-77': 1, self: '[circular]' },
      nan: 'NaN',
      bad: '[unreadable]',
      json: { inner: '[redacted]' },
    })
  })

  it('writes errors with code, message, hint and all their causes, without a stack', () => {
    const redactor = createRedactor()
    redactor.add('canary-77')
    const cause = new TypeError('wrong canary-77', {
      cause: Object.assign(new Error('deep'), { code: 'ENOENT', path: '/x' }),
    })
    const error = new HoldfastError({
      code: 'X_FAILED',
      message: 'canary-77 failed',
      hint: 'try',
      details: { n: 1 },
      cause,
    })
    expect(redactor.value({ error })).toEqual({
      error: {
        code: 'X_FAILED',
        message: '[redacted] failed',
        hint: 'try',
        details: { n: 1 },
        cause: {
          name: 'TypeError',
          message: 'wrong [redacted]',
          cause: { code: 'ENOENT', message: 'deep', path: '/x' },
        },
      },
    })
    expect(redactor.value(error, { stack: true })).toHaveProperty('stack', expect.stringContaining('redaction.test'))
  })

  it('tells a secret in an argument from a common word', () => {
    const redactor = createRedactor()
    for (const secret of ['postgres', 's3cr3t!', 'abc', 'correcthorsebattery']) redactor.add(secret)
    expect(redactor.exposes('--user=postgres')).toBe(false)
    expect(redactor.exposes('abc')).toBe(false)
    expect(redactor.exposes('--password=s3cr3t!')).toBe(true)
    expect(redactor.exposes(Buffer.from('xx:s3cr3t!').toString('base64'))).toBe(true)
    expect(redactor.exposes('correcthorsebattery')).toBe(true)
  })
})
