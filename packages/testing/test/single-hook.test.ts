// One hook on the real runner: what it is given and what its failure means are as in a run; the others do nothing.
import { defineHook, definePlugin, defineUndo, type HookName } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { createTestRun } from '../src/create-test-run.ts'
import { memoryStorage } from '../src/memory-storage.ts'
import { schemaOf } from './support/strict-schema.ts'

const everyHook: readonly HookName[] = [
  'installDependencies',
  'validate',
  'beforeBackups',
  'backups',
  'afterBackups',
  'verifyBackups',
  'pruneBackups',
  'maintain',
  'onError',
  'onFinish',
]

function pluginThatNotes(seen: string[]) {
  const resume = defineUndo({
    name: 'resume',
    input: schemaOf<{ at: string }>(['at']),
    deadline: '1m',
    run: () => void seen.push('resume'),
  })
  const note = (name: string) => () => void seen.push(name)
  return definePlugin({
    name: 'notes',
    version: '1.0.0',
    sdk: '^1.0',
    config: schemaOf<object>([]),
    undos: [resume],
    hooks: {
      ...Object.fromEntries(everyHook.map((name) => [name, note(name)])),
      async beforeBackups({ undo }) {
        await undo.arm(resume, { at: 'once' })
        seen.push('beforeBackups')
      },
      async backups({ record, clock, run }) {
        seen.push('backups')
        await record({ id: run.id, createdAt: clock.now(), ref: null })
      },
      onError: ({ outcome }) => void seen.push(`onError ${outcome.targets.find(({ error }) => error)?.error?.code}`),
    },
  })({})
}

test.each<readonly [HookName, readonly string[]]>([
  ['installDependencies', ['installDependencies']],
  ['validate', ['validate']],
  ['beforeBackups', ['beforeBackups', 'resume']],
  ['backups', ['backups']],
  ['afterBackups', ['afterBackups']],
  ['verifyBackups', ['backups', 'verifyBackups']],
  ['pruneBackups', ['backups', 'verifyBackups', 'pruneBackups']],
  ['maintain', ['maintain']],
  ['onError', ['onError HOOK_FAILED']],
  ['onFinish', ['onFinish']],
])('%s', async (name, expected) => {
  const seen: string[] = []
  await using run = await createTestRun({ use: [pluginThatNotes(seen)], plan: { retention: { latest: 1 } } })
  // Something to prune.
  await run.hook('verifyBackups')
  await run.clock.advance('1d')
  seen.length = 0
  const { outcome } = await run.hook(name)
  expect(seen).toEqual(expected)
  expect(outcome.status).toBe(name === 'onError' ? 'partial' : 'succeeded')
})

test('a hook module needs no backup beside it', async () => {
  const seen: string[] = []
  const nothing = defineHook('maintain', () => {}, { name: 'nothing' })
  for (const name of ['beforeBackups', 'afterBackups', 'onError', 'onFinish'] as const) {
    await using run = await createTestRun({ use: [nothing, defineHook(name, () => void seen.push(name))] })
    await run.hook(name)
    expect(seen.splice(0)).toEqual([name])
  }
})

test('afterwards, a whole run is whole', async () => {
  const seen: string[] = []
  await using run = await createTestRun({ use: [pluginThatNotes(seen)] })
  await run.hook('maintain')
  seen.length = 0
  await run.run()
  expect(seen).toContain('backups')
  await expect(run.hook('backups')).resolves.toMatchObject({ outcome: { status: 'succeeded' } })
})

test('a hook that fails is a failed run, and bad days of the store are its own', async () => {
  const storage = memoryStorage({ failPut: { number: 1 } })
  const dump = defineHook('backups', ({ createArtifact }) =>
    createArtifact('dump', (sink) => sink.write(Buffer.from('x'))),
  )
  await using run = await createTestRun({ use: [dump], config: { storage } })
  const { outcome } = await run.hook('backups')
  expect(outcome.status).toBe('failed')
  await expect(run.hook('onError')).rejects.toThrow('nothing that is used has onError')
})
