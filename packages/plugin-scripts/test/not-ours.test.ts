// Scripts that somebody may execute, but not the user that runs Holdfast: ConfigMaps with mode 0744 that belong to root.
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lintFiles } from '../src/script.ts'
import { directoryWith } from './support/files.ts'

const isRoot = process.getuid?.() === 0

test('a script that is not executable for us is run by its interpreter, with the same path and arguments', () => {
  const say = (line: string) => `${line}\necho "$#: $0 $1"\n`
  const files = {
    'backups/direct': say('#!/bin/sh'),
    'backups/option': say('#!/bin/sh -e') + 'false\necho never\n',
    'on_error/env': say('#!/usr/bin/env bash'),
  }
  // Root may execute what anybody may; others, what is theirs: so the file is root's here, or lacks the owner's bit.
  const mode = isRoot ? 0o744 : 0o645
  const path = directoryWith(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, { text, mode }])))
  chmodSync(path, 0o755)
  const state = directoryWith()
  if (isRoot) chownSync(state, 65534, 65534)
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@holdfast/source', '--no-warnings', join(import.meta.dirname, 'support/run-as.ts'), path, state],
    { encoding: 'utf8', env: { ...process.env, HOME: state }, ...(isRoot && { uid: 65534, gid: 65534 }) },
  )
  expect(stderr).toBe('')
  const [, ...lines] = stdout.trimEnd().split('\n')
  expect(lines).toEqual([
    `0: ${path}/backups/direct `,
    `0: ${path}/backups/option `,
    `1: ${path}/on_error/env Script '${path}/backups/option' finished with exit code '1'`,
  ])
  expect(stdout.split('\n')[0]).toBe('none of them is executable for us')
})

test('a program that is not executable for us is refused, and on a ConfigMap’s volume the mode is the fix', () => {
  const bytes = Buffer.from('\u007fELF\0\0')
  const path = '/scripts/backups/dump'
  const file = { name: 'dump', path, mode: 0o744, executable: false, fingerprint: '', size: bytes.length, bytes }
  const { scripts, problems } = lintFiles([file], '')
  expect(scripts).toEqual([])
  expect(problems.map(({ code, hint }) => [code, hint])).toEqual([
    ['SCRIPT_BINARY_DENIED', expect.stringContaining('defaultMode: 0755')],
  ])
})
