import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultStateDirectory, readSettings } from '../src/settings.ts'
import { workspace } from './support/workspace.ts'

const io = { cwd: '/here', env: {}, stderr: { write() {}, isTTY: false, columns: undefined } }

test('an option wins over its variable, and a variable over the default', () => {
  const env = {
    HOLDFAST_STATE_DIR: 'var',
    HOLDFAST_LOG_LEVEL: 'error',
    HOLDFAST_SHUTDOWN_GRACE: '1m',
    HOLDFAST_LOG_FORMAT: '',
  }
  expect(readSettings({}, { ...io, env })).toMatchObject({
    stateDirectory: '/here/var',
    logLevel: 'error',
    logFormat: 'json',
    shutdownGraceMs: 60_000,
  })
  expect(readSettings({ stateDir: '/opt', logLevel: 'warn', shutdownGrace: '5s' }, { ...io, env })).toMatchObject({
    stateDirectory: '/opt',
    logLevel: 'warn',
    shutdownGraceMs: 5000,
  })
})

test('logs are for people on a terminal, and JSON elsewhere', () => {
  expect(readSettings({}, { ...io, stderr: { ...io.stderr, isTTY: true } }).logFormat).toBe('pretty')
  expect(readSettings({}, io).logFormat).toBe('json')
})

test('--storage replaces the configured store; HOLDFAST_STORAGE is only for configurations without one', () => {
  const env = { HOLDFAST_STORAGE: 'file:///b' }
  expect(readSettings({ storage: 'file:///a' }, { ...io, env })).toMatchObject({
    storage: 'file:///a',
    defaultStorage: 'file:///b',
  })
})

test('the state directory is the system one where that can be written or made, else the user one', () => {
  const here = workspace()
  const system = here.at('var/lib/holdfast')
  expect(defaultStateDirectory({ HOME: '/home/me' }, system)).toBe('/home/me/.local/state/holdfast')
  expect(defaultStateDirectory({ XDG_STATE_HOME: '/x' }, system)).toBe('/x/holdfast')
  mkdirSync(here.at('var/lib'), { recursive: true })
  expect(defaultStateDirectory({ HOME: '/home/me' }, system)).toBe(system)
  mkdirSync(system)
  expect(defaultStateDirectory({ HOME: '/home/me' }, join(system))).toBe(system)
})
