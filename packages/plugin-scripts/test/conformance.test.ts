import { existsSync } from 'node:fs'
import { pluginConformance, type PluginCase } from '@holdfast/testing'
import { test } from 'vitest'
import { scripts, type ScriptsOptions } from '../src/index.ts'
import { bin, directoryWith, sh } from './support/files.ts'

const set: PluginCase<ScriptsOptions> = {
  name: 'a set of scripts',
  setUp() {
    const place = directoryWith({ 'state/.keep': '' })
    const path = directoryWith({
      'before_backups/lock': sh(`touch ${place}/lock`),
      'before_backups/lock.undo': sh(`rm -f ${place}/lock`),
      'backups/dump': sh(`test -e ${place}/lock`),
    })
    return {
      options: { path, bin },
      env: { ...process.env, HOME: place },
      // The undo of a script is its stored copy, run by sh.
      announces: (step, { hook, what }) => (hook === 'undo' ? step.kind === 'undo' : step.what.includes(what)),
      state: () => existsSync(`${place}/lock`),
    }
  },
}

for (const { name, run } of pluginConformance(scripts, [set])) test(name, run)
