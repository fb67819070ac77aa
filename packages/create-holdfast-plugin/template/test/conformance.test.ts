// What every plugin has to hold. Each check makes something go wrong by itself; a failure says what to do.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fakeExec, pluginConformance, replies, type PluginCase } from '@holdfast/testing'
import { templatePlugin, type TemplatePluginOptions } from '../src/index.ts'

const paused: PluginCase<TemplatePluginOptions> = {
  name: 'an application that is paused',
  setUp() {
    const directory = mkdtempSync(join(tmpdir(), 'template-plugin-'))
    const pauseFile = join(directory, 'pause')
    return {
      options: { path: '/data', pauseFile },
      exec: fakeExec({ tar: replies({ stdout: 'files' }) }),
      state: () => existsSync(pauseFile),
      close: () => rmSync(directory, { recursive: true }),
    }
  },
}

for (const { name, run } of pluginConformance(templatePlugin, [paused])) void test(name, run)
