import { expect } from 'vitest'
import { workspace, type Workspace } from './workspace.ts'

/** Freezes a directory, and can't thaw it while there is a file `stuck` in it. */
const plugin = `import { definePlugin, defineUndo } from '@holdfast/sdk'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
const any = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
const thaw = defineUndo({
  name: 'thaw',
  input: any,
  deadline: '300ms',
  run({ directory }) {
    if (existsSync(directory + '/stuck')) throw new Error('the filesystem does not answer')
    rmSync(directory + '/frozen', { force: true })
  },
})
export const freezer = definePlugin({
  name: 'freezer',
  version: '1.0.0',
  sdk: '^1.0',
  config: any,
  undos: [thaw],
  hooks: {
    async beforeBackups({ undo, config }) {
      await undo.arm(thaw, { directory: config.directory })
      writeFileSync(config.directory + '/frozen', '')
    },
    backups: (ctx) => ctx.createArtifact('data', (sink) => sink.write(Buffer.from('data'))),
  },
})
`

/** A plan that freezes something and could not thaw it. */
export async function stillFrozen(): Promise<Workspace> {
  const here = workspace({ 'plugin.mjs': plugin, stuck: '' })
  here.write('holdfast.yaml', `plans: { shop: { use: [ { './plugin.mjs#freezer': { directory: ${here.path} } } ] } }\n`)
  const { code, stdout } = await here.run(['run', 'shop', '--json'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ status: 'failed', error: { code: 'UNDO_FAILED' } })
  return here
}
