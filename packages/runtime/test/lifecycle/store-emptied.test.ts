// A store that has lost what earlier runs left there: its volume is not mounted, and the directory below it is empty.
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineHook } from '@holdfast/sdk'
import { createTestRun } from '@holdfast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { fsStorage } from '../../src/artifacts/fs-driver.ts'
import type { RunResult } from '../../src/index.ts'

interface Place {
  readonly path: string
  /** One run of a process of its own. */
  run(store?: string, content?: string): Promise<RunResult['outcome']>
}

function place(): Place {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-emptied-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return {
    path,
    async run(store = 'store', content = 'rows') {
      const dump = defineHook('backups', (ctx) => {
        if (content === '') throw new Error('no rows today')
        return ctx.createArtifact('dump', (sink) => sink.write(Buffer.from(content)))
      })
      const made = await createTestRun({
        use: [dump],
        // A second attempt would find nothing odd any more.
        plan: { retry: { attempts: content === '' ? 1 : 2 } },
        config: { storage: fsStorage({ path: join(path, store) }) },
        stateDirectory: join(path, 'state'),
      })
      try {
        return (await made.run()).outcome
      } finally {
        await made.close()
      }
    },
  }
}

test('a store whose volume is not mounted is backed up into, and told: once, and not when the volume is back', async () => {
  const { path, run } = place()
  expect(await run()).toMatchObject({ status: 'succeeded', warnings: [] })
  renameSync(join(path, 'store'), join(path, 'volume'))
  const told = await run()
  expect(told).toMatchObject({ status: 'partial', error: { code: 'STORE_EMPTIED' }, warnings: [] })
  expect(told.error?.message).toContain(`file://${path}/store`)
  expect(told.targets).toMatchObject([{ status: 'succeeded', verification: 'verified' }])
  expect(await run()).toMatchObject({ status: 'succeeded', warnings: [] })
  rmSync(join(path, 'store'), { recursive: true })
  cpSync(join(path, 'volume'), join(path, 'store'), { recursive: true })
  expect(await run()).toMatchObject({ status: 'succeeded', warnings: [] })
  // And the next time that it is not mounted.
  rmSync(join(path, 'store'), { recursive: true })
  expect(await run()).toMatchObject({ status: 'partial', error: { code: 'STORE_EMPTIED' } })
})

test('a store that is used for the first time is nothing odd, wherever earlier runs have stored', async () => {
  const { run } = place()
  expect(await run()).toMatchObject({ status: 'succeeded' })
  expect(await run('another')).toMatchObject({ status: 'succeeded', warnings: [] })
  expect(await run('another')).toMatchObject({ status: 'succeeded', warnings: [] })
})

test('a run that fails besides says it as a warning', async () => {
  const { path, run } = place()
  await run()
  rmSync(join(path, 'store'), { recursive: true })
  expect(await run('store', '')).toMatchObject({
    status: 'failed',
    error: { code: 'HOOK_FAILED' },
    warnings: [{ code: 'STORE_EMPTIED' }],
  })
})
