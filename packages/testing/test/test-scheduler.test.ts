import { defineHook } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { createTestRun } from '../src/create-test-run.ts'

function runAt(seen: string[]) {
  return defineHook(
    'maintain',
    ({ clock, run }) => void seen.push(`${run.trigger} at ${clock.now().toISOString().slice(0, 16)}`),
    { name: 'look' },
  )
}

test('advanceTo runs what is due, at its own time', async () => {
  const seen: string[] = []
  await using run = await createTestRun({ use: [runAt(seen)], plan: { schedule: { cron: '0 3 * * *' } } })
  expect(run.scheduler.next).toEqual(new Date('2026-01-01T03:00:00Z'))
  expect(await run.scheduler.advanceTo('2026-01-01T02:59:59Z')).toEqual([])
  const ended = await run.scheduler.advanceTo('2026-01-03T03:00:00Z')
  expect(ended.map(({ outcome }) => outcome.status)).toEqual(['succeeded', 'succeeded', 'succeeded'])
  expect(seen).toEqual([1, 2, 3].map((day) => `schedule at 2026-01-0${day}T03:00`))
  expect(run.clock.now()).toEqual(new Date('2026-01-03T03:00:00Z'))
  expect(run.scheduler.missed).toEqual([])
})

test('a slot that comes while the last run goes on is missed, and says why', async () => {
  const slow = defineHook('maintain', ({ clock, signal }) => clock.sleep('90m', signal), { name: 'slow' })
  await using run = await createTestRun({ use: [slow], plan: { schedule: { cron: '0 * * * *' } } })
  const ended = await run.scheduler.advanceTo('2026-01-01T02:45:00Z', { step: '1m' })
  expect(ended).toHaveLength(1)
  expect(run.scheduler.missed).toMatchObject([{ reason: 'overlap', scheduledFor: new Date('2026-01-01T02:00:00Z') }])
})

test('a clock change: what runs at 02:30 in Berlin runs once on the day that has no 02:30', async () => {
  const seen: string[] = []
  await using run = await createTestRun({
    use: [runAt(seen)],
    now: '2026-03-28T12:00:00Z',
    plan: { schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' } },
  })
  await run.scheduler.advanceTo('2026-03-30T12:00:00Z')
  expect(seen).toEqual(['schedule at 2026-03-29T01:00', 'schedule at 2026-03-30T00:30'])
})

test('it refuses what is over, and plans without a schedule', async () => {
  await using run = await createTestRun({ use: [runAt([])] })
  await expect(run.scheduler.advanceTo('2026-01-02')).rejects.toThrow('the plan has no schedule')
  await using other = await createTestRun({ use: [runAt([])], plan: { schedule: { cron: '@daily' } } })
  await expect(other.scheduler.advanceTo('2025-01-02')).rejects.toThrow('is over')
})
