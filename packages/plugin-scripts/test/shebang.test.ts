import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { missingInterpreter, readStart } from '../src/shebang.ts'
import { directoryWith, sh } from './support/files.ts'

const start = (text: string) => readStart(Buffer.from(text))

describe('how the system starts a file', () => {
  test.each([
    ['#!/bin/sh\n', '/bin/sh', undefined],
    ['#! \t /bin/sh \t\nx', '/bin/sh', undefined],
    ['#!/bin/sh', '/bin/sh', undefined],
    ['#!/bin/sh -e', '/bin/sh', '-e'],
    // One argument, spaces and all, as the kernel hands it over.
    ['#!/usr/bin/env bash -x\n', '/usr/bin/env', 'bash -x'],
    ['#!/usr/bin/env  -S bash  -x  \n', '/usr/bin/env', '-S bash  -x'],
  ])('%j', (text, interpreter, argument) => {
    expect(start(text)).toEqual({ kind: 'script', interpreter, argument })
  })

  test('a program', () => expect(start('\u007fELF\u0002\0\0')).toEqual({ kind: 'program' }))
  test('Windows line ends', () => expect(start('#!/bin/sh\r\necho\r\n')).toEqual({ kind: 'crlf' }))
  test.each([
    ['', 'is empty'],
    ['echo hello\n', 'has no shebang (#!)'],
    ['\n#!/bin/sh\n', 'has no shebang (#!)'],
    ['\u{feff}#!/bin/sh\n', 'has a byte order mark before its shebang'],
    ['#!\n', 'has a shebang (#!) that names no interpreter'],
  ])('%j cannot be started: %s', (text, reason) => expect(start(text)).toEqual({ kind: 'unknown', reason }))
})

describe('what a shebang needs and the machine lacks', () => {
  const missing = (line: string, path = '/usr/bin:/bin') => {
    const read = start(line)
    return read.kind === 'script' ? missingInterpreter(read, path) : read.kind
  }
  test.each(['#!/bin/sh', '#!/bin/sh -eu', '#!/usr/bin/env sh', '#!/usr/bin/env -S sh -x', '#!/usr/bin/env -S A=1 sh'])(
    '%s needs nothing',
    (line) => expect(missing(line)).toBeUndefined(),
  )
  test.each([
    ['#!/no/such/bash', '/no/such/bash'],
    ['#!bash', 'bash'],
    ['#!/etc', '/etc'],
    ['#!/etc/passwd', '/etc/passwd'],
    ['#!/usr/bin/env no-such-program', 'no-such-program'],
    ['#!/usr/bin/env sh -x', 'sh -x'],
    ['#!/usr/bin/env -S no-such-program -x', 'no-such-program'],
    ['#!/usr/bin/env -vS no-such-program', 'no-such-program'],
  ])('%s lacks %s', (line, interpreter) => expect(missing(line)).toBe(interpreter))

  test('env looks on the PATH that the script will have', () => {
    const directory = directoryWith({ 'my-tool': sh('true') })
    expect(missing('#!/usr/bin/env my-tool')).toBe('my-tool')
    expect(missing('#!/usr/bin/env my-tool', `/bin:${directory}`)).toBeUndefined()
    expect(missing(`#!/usr/bin/env ${join(directory, 'my-tool')}`)).toBeUndefined()
  })
})
