// A shop after a bad night: what the status page has to show when somebody is woken up.
import type { AddressInfo } from 'node:net'
import { testClock } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import { closeServer, createPageServer } from '../../src/http/server.ts'
import { armUndo, artifact, statusWorld, type StatusWorld } from './status.ts'

const day = 86_400_000
const plans = ['shop', 'orders-archive', 'invoices', 'mail', 'analytics-warehouse-of-the-whole-company'] as const

/** The pages of the scene, each of which shows something. */
export const scenePaths = [
  '/',
  '/plans',
  '/plans?plan=invoices',
  '/plans?plan=mail',
  '/runs',
  '/runs?plan=shop',
  '/runs/invoices-13',
  '/runs/shop-13',
  '/runs/weekly-1',
  '/targets',
  '/restore-points',
  '/runs/nobody',
] as const

/** Makes it. It is noon, and the night was bad. */
export async function scene(): Promise<StatusWorld> {
  const world = statusWorld({
    instance: 'shop-production',
    plans,
    drills: { 'shop-weekly': 'shop' },
    paused: new Map([['analytics-warehouse-of-the-whole-company', new Date('2026-11-22T09:12:00Z')]]),
    reasons: [
      {
        code: 'PERMISSIONS_MISSING',
        message: 'pods/exec may not be created in namespace "shop"',
        hint: 'Hooks that run commands in pods will fail. `holdfast generate rbac` prints the Role.',
        plan: 'shop',
      },
    ],
    times: (name) => ({
      next: new Date('2026-11-24T02:00:00Z'),
      ...(name === 'orders-archive' && { lastSuccess: new Date('2026-11-22T02:00:42Z') }),
      ...(name === 'shop-weekly' && { lastSuccess: new Date('2026-11-22T05:01:35Z') }),
      ...(name === 'shop' && { lastSuccess: new Date('2026-11-23T02:00:42Z') }),
      ...(name === 'invoices' && { lastSuccess: new Date('2026-11-21T02:00:42Z') }),
    }),
    async *list() {
      for (const [plan, target] of [
        ['invoices', 'invoices'],
        ['orders-archive', 'archive'],
        ['shop', 'orders'],
        ['shop', 'uploads'],
      ] as const) {
        // Of runs that failed there is nothing.
        for (let age = plan === 'invoices' ? 2 : 0; age < 13; age++) {
          const createdAt = new Date(Date.parse('2026-11-23T02:00:32Z') - age * day)
          const size = Math.round((target === 'uploads' ? 52e9 : 1.4e9) * (1 - age / 40 + ((age * 7) % 5) / 50))
          yield artifact({
            run: `${plan}-${13 - age}`,
            plan,
            target,
            createdAt,
            size: target === 'archive' && age === 0 ? size / 8 : size,
            ...(target === 'archive' &&
              age === 0 && { state: 'suspect', reason: 'it is 88 % smaller than those before it' }),
            ...(age < 11 && target !== 'archive' && { verifiedAt: new Date(createdAt.getTime() + 10_000) }),
          })
        }
      }
    },
  })
  for (let number = 1; number <= 13; number++) {
    for (const plan of ['shop', 'orders-archive', 'invoices'] as const) await enterNight(world, plan, number)
    if (number === 12) enterDrill(world)
  }
  armUndo(world, '7c1de0a4-1b7f-4f0e-9d55-0a7c41c1a001', 'invoices-13', { plan: 'invoices', undo: 'unlock' })
  world.sql(`UPDATE undos SET armed = ${Date.parse('2026-11-23T02:00:09Z')}, attempts = 4,
    error = 'pg_wal_replay_resume: connection refused (10.42.0.17:5432)' WHERE id LIKE '7c1de0a4%'`)
  return world
}

async function enterNight({ journal, sql }: StatusWorld, plan: string, number: number): Promise<void> {
  const began = Date.parse('2026-11-23T02:00:00Z') - (13 - number) * day
  const id = `${plan}-${number}`
  const scheduledFor = new Date(began)
  journal.beginRun({ id, plan, attempt: 1, scheduledFor, trigger: 'schedule', dryRun: false }, 'default', 'p1')
  const isBad = plan === 'invoices' && number > 11
  const isOdd = plan === 'orders-archive' && number === 13
  const error = {
    code: 'EXEC_EXIT',
    message: 'pg_dump ended with 1: connection to server at "postgres-0" (10.42.0.17) was lost',
    hint: 'Nothing of "invoices" was stored; the backup before it is kept. Look whether the database is up.',
    docs: '',
    retryable: false,
    details: {},
  }
  const warning = { ...error, code: 'ARTIFACT_SUSPECT', message: '"archive" is 88 % smaller than those before it' }
  const hooks = [
    ['validate', 0, 400],
    ['beforeBackups', 400, 900],
    ['backups', 1300, isBad ? 17_000 : 31_000],
    ...(plan === 'shop' ? [['backups', 1350, 24_000] as const] : []),
    ...(isBad ? [['onError', 19_000, 300] as const] : [['verifyBackups', 33_500, 9000] as const]),
    ['onFinish', isBad ? 19_300 : 42_600, 200],
  ] as const
  const targets = plan === 'shop' ? ['orders', 'uploads'] : [plan === 'invoices' ? 'invoices' : 'archive']
  for (const [index, [hook, offset, took]] of hooks.entries()) {
    const target = hook === 'backups' ? targets[index - 2] : undefined
    const row = journal.hookStarted(id, hook, hook === 'onFinish' ? 'report' : 'database', target, 1)
    journal.hookEnded(row, took, isBad && hook === 'backups' ? error : undefined)
    sql(`UPDATE hooks SET started = ${began + offset} WHERE rowid = ${row}`)
  }
  if (!isBad) {
    armUndo({ journal }, `${id}-undo`, id, { plan, undo: 'unlock' })
    journal.settleUndo(`${id}-undo`, 'done')
    sql(`UPDATE undos SET armed = ${began + 500}, settled = ${began + 32_600} WHERE id = '${id}-undo'`)
  }
  for (const target of targets) {
    const status = isBad ? 'failed' : 'succeeded'
    sql(`INSERT INTO targets VALUES ('${id}', '${target}', '${status}', '${isBad ? 'none' : 'verified'}', NULL,
      ${isBad ? `'${JSON.stringify(error)}'` : 'NULL'})`)
  }
  const status = isBad ? 'failed' : isOdd ? 'partial' : 'succeeded'
  const durationMs = isBad ? 19_500 : 42_800
  journal.endRun(id, { status, durationMs, ...(isBad && { error }), ...(isOdd && { warnings: [warning] }) })
  sql(`UPDATE runs SET started = ${began}, ended = ${began + durationMs} WHERE id = '${id}'`)
}

function enterDrill({ journal, sql }: StatusWorld): void {
  const began = Date.parse('2026-11-22T05:00:00Z')
  const run = { id: 'weekly-1', plan: 'shop', drill: 'shop-weekly', attempt: 1, scheduledFor: new Date(began) }
  journal.beginRun({ ...run, trigger: 'drill', dryRun: false }, 'default', 'p1')
  armUndo({ journal }, 'weekly-undo', 'weekly-1', { undo: 'drill-cleanup', participant: 'drill:shop-weekly' })
  journal.settleUndo('weekly-undo', 'done')
  sql(`UPDATE undos SET armed = ${began + 20}, settled = ${began + 95_000} WHERE id = 'weekly-undo'`)
  for (const [hook, offset, took] of [
    ['restore', 100, 61_000],
    ['expect', 61_200, 30_000],
  ] as const) {
    const row = journal.hookStarted('weekly-1', hook, 'drill:shop-weekly', 'orders', 1)
    journal.hookEnded(row, took)
    sql(`UPDATE hooks SET started = ${began + offset} WHERE rowid = ${row}`)
  }
  journal.endRun('weekly-1', { status: 'succeeded', durationMs: 95_200 })
  sql(`UPDATE runs SET started = ${began}, ended = ${began + 95_200} WHERE id = 'weekly-1'`)
}

/** Serves a world as a daemon would, until the end of the test. @returns its address */
export async function serve({ ask }: Pick<StatusWorld, 'ask'>): Promise<string> {
  const server = createPageServer((request) => ask(request.url, request), testClock())
  onTestFinished(() => closeServer(server))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
