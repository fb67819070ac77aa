// A process of its own that freezes, says so, and waits: to be killed. Arguments: state directory, kubeconfig, options.
import { readFileSync } from 'node:fs'
import { defineHook } from '@holdfast/sdk'
import { createTestRun } from '@holdfast/testing'
import { findFreezable } from '../../src/freeze/find-freezable.ts'
import type { FreezeOptions } from '../../src/freeze/frozen.ts'
import { thawUndo } from '../../src/freeze/thaw-undo.ts'

const [, , stateDirectory = '', kubeconfig = '', options = '{}'] = process.argv
const claim = { namespace: 'shop', name: 'data', accessModes: [], volumeMode: 'Filesystem', freeze: true }
const image = { pool: 'kube', namespace: '', name: 'csi-vol-1' }
const hook = defineHook(
  'maintain',
  async (ctx) => {
    const freezable = await findFreezable(ctx, { claim, image }, JSON.parse(options) as FreezeOptions)
    await freezable.freeze()
    process.send?.('frozen')
    await new Promise(() => {})
  },
  { name: 'freezing', undos: [thawUndo] },
)
const cluster = { kubeconfig: () => readFileSync(kubeconfig, 'utf8') }
const { run } = await createTestRun({ use: [hook], cluster, stateDirectory })
setInterval(() => {}, 60_000)
await run()
