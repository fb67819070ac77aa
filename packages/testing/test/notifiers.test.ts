// Notifiers and metrics of an author's own, as the kit shows them.
import { defineHook, defineNotifier, type Notification, type Notifier } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { advanceUntil } from '../src/advance-until.ts'
import { createTestRun, type TestRun } from '../src/create-test-run.ts'
import { schemaOf } from './support/strict-schema.ts'

async function failingRun(notifier: Notifier): Promise<TestRun> {
  const hook = defineHook('backups', () => Promise.reject(new Error('there is no database')), { name: 'shop' })
  return createTestRun({ use: [hook], config: { notify: [notifier] }, env: { PAGER_KEY: 'k3y' } })
}

test('a notifier is told of the run, with its secret', async () => {
  const told: [Notification['kind'], string, string][] = []
  const pager = defineNotifier({
    name: 'pager',
    config: schemaOf<{ key: { env: string } }>(['key'], true, { key: ['env'] }),
    async send({ kind, subject }, { config, secrets }) {
      told.push([kind, subject, (await secrets.open(config.key)).reveal()])
    },
  })
  await using run = await failingRun(pager({ key: { env: 'PAGER_KEY' } }))
  await run.run()
  await run.notified()
  expect(told).toEqual([['failure', 'plan "test" failed', 'k3y']])
})

test('one that fails is tried again as the clock goes on, and what it threw is in the log', async () => {
  let attempts = 0
  const pager = defineNotifier({
    name: 'pager',
    config: schemaOf<object>([]),
    send() {
      attempts += 1
      throw new Error('it answered 503')
    },
  })
  await using run = await failingRun(pager({}))
  await run.run()
  await advanceUntil(run.clock, run.notified())
  expect(attempts).toBe(3)
  expect(run.log.filter((line) => line.includes('it answered 503'))).not.toEqual([])
})

test('a metric with a label that it was not made with is in the log', async () => {
  const hook = defineHook(
    'backups',
    ({ createArtifact, meter }) => {
      meter.gauge('shop_orders', 'Orders in the dump', ['database']).set(3, { databas: 'shop' })
      return createArtifact('dump', (sink) => sink.write(Buffer.from('x')))
    },
    { name: 'shop' },
  )
  await using run = await createTestRun({ use: [hook] })
  await run.run()
  expect(await run.metrics.text()).toContain('shop_orders{database=""} 3')
  expect(run.log.join('')).toContain(String.raw`the metric \"shop_orders\" has no label \"databas\"`)
})
