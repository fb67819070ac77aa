import { describe, expect, it } from 'vitest'
import { HoldfastError } from '@holdfast/sdk'
import { createLogger, longestLine, type CreateLoggerOptions, type RuntimeLogger } from '../../src/telemetry/log.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'

function capture(options: Partial<CreateLoggerOptions> = {}): { log: RuntimeLogger; lines: string[] } {
  const lines: string[] = []
  const redactor = createRedactor()
  redactor.add('canary-77')
  const log = createLogger({
    level: 'info',
    format: 'json',
    redactor,
    destination: { write: (line) => void lines.push(line) },
    now: () => new Date('2026-11-23T03:00:00Z'),
    ...options,
  })
  return { log, lines }
}

describe('JSON log lines', () => {
  it('are one object each, with the bindings and fields', () => {
    const { log, lines } = capture({ bindings: { instance: 'shop' } })
    log.child({ plan: 'nightly' }).info('backup begins', { targets: 3 })
    expect(lines).toEqual([
      '{"level":"info","time":"2026-11-23T03:00:00.000Z","instance":"shop","plan":"nightly","targets":3,"msg":"backup begins"}\n',
    ])
  })

  it('are written from the level up', () => {
    const { log, lines } = capture({ level: 'warn' })
    log.debug('no')
    log.info('no')
    log.warn('yes')
    log.error('yes')
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(['warn', 'error'])
    const silent = capture({ level: 'silent' })
    silent.log.error('no')
    expect(silent.lines).toEqual([])
  })

  it('fault F54: hold no secret, in message, fields, bindings or errors', () => {
    const { log, lines } = capture({ bindings: { token: 'canary-77' } })
    const error = new Error('no canary-77', { cause: new Error(encodeURIComponent('canary-77')) })
    log.child({ url: 'https://me:canary-77@host' }).error('canary-77', {
      error,
      list: [Buffer.from('canary-77').toString('base64')],
    })
    expect(lines[0]).not.toMatch(/canary|Y2FuYXJ5/)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: '[redacted]', error: { message: 'no [redacted]' } })
  })

  it('redact bindings with secrets that became known later', () => {
    const redactor = createRedactor()
    const { log, lines } = capture({ redactor })
    const child = log.child({ user: 'later-canary' })
    redactor.add('later-canary')
    child.info('x')
    expect(lines[0]).not.toContain('later-canary')
  })

  it('keep their own names from being overwritten', () => {
    const { log, lines } = capture()
    log.info('real', { msg: 'fake', level: 'fake', time: 'fake' })
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: '2026-11-23T03:00:00.000Z',
      msg: 'real',
      msg_: 'fake',
      level_: 'fake',
      time_: 'fake',
    })
  })

  it('show a stack only at level debug', () => {
    const { log, lines } = capture()
    log.error('x', { error: new Error('y') })
    expect(JSON.parse(lines[0] ?? '').error).toEqual({ message: 'y' })
    const debug = capture({ level: 'debug' })
    debug.log.error('x', { error: new Error('y') })
    expect(JSON.parse(debug.lines[0] ?? '').error.stack).toContain('log.test')
  })

  it.each<[string, string, Record<string, unknown>]>([
    ['a long message', 'x'.repeat(100_000), {}],
    ['a message of many bytes', '€'.repeat(20_000), {}],
    ['a long field', 'm', { text: 'y'.repeat(50_000) }],
    ['a long list', 'm', { list: Array.from({ length: 5000 }, (_, at) => `item ${at}`) }],
    ['many fields', 'm', Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`k${at}`, 'z'.repeat(50)]))],
    ['deep nesting', 'm', { a: { b: { c: { d: Array.from({ length: 900 }, () => ({ e: 'w'.repeat(90) })) } } } }],
    ['long keys', 'm', { ['k'.repeat(50_000)]: 1 }],
    ['control characters', '\0'.repeat(16_000), {}],
  ])('fault F9: fit into 16 KiB and say what was cut: %s', (_, message, fields) => {
    const { log, lines } = capture()
    log.info(message, fields)
    expect(Buffer.byteLength(lines[0] ?? '')).toBeLessThanOrEqual(longestLine)
    expect(lines[0]).toMatch(/cut|kkkk/)
    expect(() => JSON.parse(lines[0] ?? '')).not.toThrow()
  })
})

describe('log lines for a terminal', () => {
  const options = { format: 'pretty', now: () => new Date(2026, 10, 23, 3, 4, 5) } as const

  it('show time, level, message, fields, and errors below', () => {
    const { log, lines } = capture(options)
    const cause = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' })
    log.error('backup failed', {
      plan: 'nightly',
      note: 'two words',
      error: new HoldfastError({ code: 'DUMP_FAILED', message: 'no dump', hint: 'Start the database.', cause }),
    })
    expect(lines).toEqual([
      '03:04:05 ERROR backup failed plan=nightly note="two words"\n' +
        '               DUMP_FAILED: no dump\n' +
        '               Start the database.\n' +
        '               because ECONNREFUSED: connection refused\n',
    ])
  })

  it('use colours only when asked', () => {
    const plain = capture(options)
    plain.log.warn('x')
    expect(plain.lines[0]).toBe('03:04:05 WARN  x\n')
    const colored = capture({ ...options, colors: true })
    colored.log.warn('x')
    expect(colored.lines[0]).toContain('\u001B[33mWARN \u001B[0m')
  })

  it('let nobody move the cursor', () => {
    const { log, lines } = capture(options)
    log.info('\u001B[2J\rgone\u009B1A\nnext', { 'k\u001B': '\u0007' })
    expect(lines[0]).toBe('03:04:05 INFO  \\x1b[2J\\x0dgone\\x9b1A\\nnext k\\x1b=\\x07\n')
  })

  it('hold no secret', () => {
    const { log, lines } = capture(options)
    log.info('canary-77', { a: 'canary-77', error: new Error('canary-77') })
    expect(lines[0]).not.toContain('canary')
  })
})
