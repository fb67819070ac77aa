// What holds for each of the four: whom it tells of what, in whose words, and that it costs no backup anything.
import { advanceUntil } from '@holdfast/testing'
import {
  defineHook,
  email,
  HoldfastError,
  ping,
  slack,
  webhook,
  type Notifier,
  type NotifierSettings,
} from '@holdfast/sdk'
import { describe, expect, test, vi } from 'vitest'
import { testRun } from '../lifecycle/test-run.ts'
import { mailServer } from './smtp.ts'
import { orders, service } from './support.ts'

/** Somebody who is told, on a good day or a bad one. */
interface Listener {
  readonly env?: NodeJS.ProcessEnv
  make(settings: NotifierSettings): Notifier
  /** What arrived, as somebody reads it. */
  told(): readonly string[]
  /** How often it was tried. */
  tried(): number
}

type Day = 'good' | 'hangs' | 'refuses'

async function overHttp(day: Day, make: (url: string, settings: NotifierSettings) => Notifier): Promise<Listener> {
  const { url, received } = await service((response) => {
    if (day === 'hangs') return
    response.statusCode = day === 'refuses' ? 403 : 200
    response.end()
  })
  return {
    env: { SLACK: url },
    make: (settings) => make(url, settings),
    told: () => received.map(({ body }) => body),
    tried: () => received.length,
  }
}

const listeners: Readonly<Record<string, (day: Day) => Promise<Listener>>> = {
  webhook: (day) => overHttp(day, (url, settings) => webhook({ url }, settings)),
  slack: (day) => overHttp(day, (_, settings) => slack({ url: { env: 'SLACK' } }, settings)),
  ping: (day) => overHttp(day, (url, settings) => ping({ url }, settings)),
  async email(day) {
    const fault = { good: undefined, hangs: 'silent', refuses: 'refuses-recipients' } as const
    const server = await mailServer({ ...(fault[day] && { fault: fault[day] }) })
    const at = { host: '127.0.0.1', port: server.port, security: 'none' } as const
    return {
      make: (settings) => email({ ...at, from: 'backups@example.com', to: 'ops@example.com' }, settings),
      // As it is before it was wrapped for the way.
      told: () => server.mails.map(({ data }) => data.replaceAll('=\n', '').replaceAll('=3D', '=')),
      tried: () => server.connections(),
    }
  },
}

const broken = new HoldfastError({
  code: 'DISK_FULL',
  message: 'the disk of canary-4711 is full',
  hint: 'Free canaries.',
})
/** The clock runs faster than the network: nothing is late unless it is meant to be. */
const patient = { timeout: '1h' } as const

describe.each(Object.keys(listeners))('%s', (name) => {
  const start = (day: Day): Promise<Listener> => listeners[name]?.(day) ?? Promise.reject(new Error(name))

  test('tells of a failure, a partial run, the recovery and what is stale, in the words of its templates', async () => {
    const listener = await start('good')
    const words = { subject: '{kind} of {name}', text: 'it is {status}, by {code}' }
    const notify = [listener.make({ ...patient, ...words, on: ['failure', 'partial', 'recovery', 'stale'] })]
    const world = { failure: broken as Error | undefined }
    let isOtherBroken = true
    const other = defineHook('backups', () => (isOtherBroken ? Promise.reject(broken) : undefined), { name: 'other' })
    const run = await testRun([orders(world), other], { config: { notify }, env: listener.env ?? {} })
    await run.run()
    world.failure = undefined
    await run.run()
    isOtherBroken = false
    await run.run()
    // Nobody is told of what went well.
    await run.run()
    run.engine.notifications.stale({ plan: 'test', since: run.clock.now() })
    await run.engine.notifications.close()
    const told = listener.told()
    expect(told.map((text) => /(\w+) of test/.exec(text)?.[1])).toEqual(['failure', 'partial', 'recovery', 'stale'])
    expect(told[0]).toContain('it is failed, by DISK_FULL')
    expect(told[1]).toContain('it is partial, by')
  })

  test('fault F55: tells no text of an error, unless it is asked for', async () => {
    for (const errorTexts of [undefined, true]) {
      const listener = await start('good')
      const notify = [listener.make({ ...patient, ...(errorTexts && { errorTexts }) })]
      const env = listener.env ?? {}
      const run = await testRun([orders({ failure: broken })], { config: { notify }, env })
      await run.run()
      await run.engine.notifications.close()
      const failure = listener.told().find((text) => text.includes('DISK_FULL'))
      expect(failure).toBeDefined()
      expect([failure?.includes('canary-4711'), failure?.includes('Free canaries')]).toEqual(
        errorTexts ? [true, true] : [false, false],
      )
    }
  })

  test.each<Day>(['hangs', 'refuses'])(
    'fault F51: one that %s costs a backup nothing: it is stored, told in the history, and over in its time',
    async (day) => {
      const listener = await start(day)
      const notify = [listener.make({ on: ['success'] })]
      const run = await testRun([orders()], { config: { notify }, env: listener.env ?? {} })
      // Time stands still: whoever waited for an answer would wait for ever.
      const { outcome } = await run.run()
      expect(outcome.status).toBe('succeeded')
      expect(outcome.targets[0]?.points).toHaveLength(1)
      await vi.waitFor(() => expect(listener.tried()).toBe(1))
      const began = run.clock.monotonic()
      await advanceUntil(run.clock, run.engine.notifications.close(), '500ms')
      expect(run.clock.monotonic() - began).toBeLessThanOrEqual(10_500)
      const [record] = run.engine.journal.runs()
      expect([record?.status, record?.warnings.map(({ code }) => code)]).toEqual(['succeeded', ['NOTIFY_FAILED']])
      expect(await run.metrics.text()).toContain(`holdfast_notify_failures_total{sink="${name}"} 1\n`)
    },
  )
})
