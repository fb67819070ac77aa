import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findBinProblems, findUnlinkedBins } from './check-bins.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bins-'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "root", "version": "0.0.0", "workspaces": ["apps/*"] }')
  mkdirSync(join(folder, 'apps/a/bin'), { recursive: true })
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
  git('init', '--quiet')
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function git(...args: readonly string[]): void {
  execFileSync('git', args, { cwd: folder })
}

function declare(file: string): void {
  const manifest = { name: '@holdfast/a', version: '1.0.0', bin: { tool: file } }
  writeFileSync(join(folder, 'apps/a/package.json'), JSON.stringify(manifest))
}

function commit(file: string, text: string, mode: number): void {
  writeFileSync(join(folder, 'apps/a', file), text)
  chmodSync(join(folder, 'apps/a', file), mode)
  git('add', '--force', '.')
}

test('a committed, executable file is a good bin', () => {
  declare('bin/tool.js')
  commit('bin/tool.js', '#!/usr/bin/env node\n', 0o755)
  expect(findBinProblems(folder)).toEqual([])
})

test('a bin in dist is refused: npm could not link it in a fresh clone', () => {
  declare('dist/tool.js')
  expect(findBinProblems(folder)).toEqual(['tool: apps/a/dist/tool.js is build output'])
})

test('a bin that is missing, not in git, not executable or without an interpreter is refused', () => {
  declare('bin/tool.js')
  expect(findBinProblems(folder)).toEqual(['tool: apps/a/bin/tool.js does not exist'])
  writeFileSync(join(folder, 'apps/a/bin/tool.js'), '#!/bin/sh\n')
  expect(findBinProblems(folder)).toEqual(['tool: apps/a/bin/tool.js is not in git'])
  commit('bin/tool.js', '#!/bin/sh\n', 0o644)
  expect(findBinProblems(folder)[0]).toContain('is not executable in git')
  commit('bin/tool.js', 'exit\n', 0o755)
  expect(findBinProblems(folder)).toEqual(['tool: apps/a/bin/tool.js has no #! line'])
})

test('a command that the install did not link is found', () => {
  declare('bin/tool.js')
  commit('bin/tool.js', '#!/bin/sh\n', 0o755)
  expect(findUnlinkedBins(folder)).toEqual(['tool: not in node_modules/.bin'])
  symlinkSync('../../apps/a/bin/tool.js', join(folder, 'node_modules/.bin/tool'))
  expect(findUnlinkedBins(folder)).toEqual([])
})
