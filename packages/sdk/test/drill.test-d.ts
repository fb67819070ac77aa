// What drills promise to their authors.
import { describe, expectTypeOf, test } from 'vitest'
import {
  defineConfig,
  defineDrill,
  type Drill,
  type DrillCleanupContext,
  type DrillContext,
  type Exec,
  type Json,
  type RestorePoint,
} from '../src/index.ts'

describe('a drill', () => {
  test('says its plan and what it expects, and nothing more has to be said', () => {
    expectTypeOf(defineDrill({ name: 'weekly', plan: 'shop', expect: () => {} })).toEqualTypeOf<Drill>()
    defineConfig({ plans: [], drills: [defineDrill({ name: 'weekly', plan: 'shop', expect: './drills/shop' })] })
  })

  test('has what it needs at hand wherever it is called', () => {
    defineDrill({
      name: 'weekly',
      plan: 'shop',
      schedule: { cron: '0 5 * * 0', timeZone: 'Europe/Berlin' },
      select: 'random',
      target: 'orders',
      options: ({ suffix, directory, point, target, run }) => {
        expectTypeOf(point).toEqualTypeOf<RestorePoint>()
        expectTypeOf(run.drill).toEqualTypeOf<string | undefined>()
        return { database: `shop_${suffix}`, path: directory, label: target, port: 3307, verbose: true }
      },
      async expect({ where, restored, directory, exec, kubernetes, signal, vars, log, progress, defer, points }) {
        expectTypeOf(where).toEqualTypeOf<Json>()
        expectTypeOf(exec).toEqualTypeOf<Exec>()
        expectTypeOf(restored[0]?.point).toEqualTypeOf<RestorePoint | undefined>()
        expectTypeOf(points).toEqualTypeOf<readonly RestorePoint[]>()
        await kubernetes?.get('pods', directory)
        signal.throwIfAborted()
        await vars.set('seen', 'yes')
        progress(1, 2)
        defer('close', () => log.info('closed'))
      },
      async cleanup({ options, where, recovered, attempt, exec }) {
        expectTypeOf(where).toEqualTypeOf<Json | undefined>()
        expectTypeOf(options['database']).toEqualTypeOf<string | undefined>()
        expectTypeOf(recovered).toEqualTypeOf<boolean>()
        expectTypeOf(attempt).toEqualTypeOf<number>()
        await exec.local({ command: ['dropdb', '--if-exists', options['database'] ?? ''] })
      },
      scratch: '/scratch',
      budget: '2h',
      timeouts: { expect: '10m', cleanup: '5m' },
      permissions: [{ apiGroup: '', resource: 'pods', verbs: ['get'], scope: 'namespace', why: 'looks' }],
    })
  })
})

describe('does not compile', () => {
  test('a drill without a plan, or that expects nothing', () => {
    // @ts-expect-error -- whose backups?
    defineDrill({ name: 'weekly', expect: () => {} })
    // @ts-expect-error -- it would prove nothing
    defineDrill({ name: 'weekly', plan: 'shop' })
  })

  test('a misspelt or wrong setting', () => {
    // @ts-expect-error -- newest or random
    defineDrill({ name: 'weekly', plan: 'shop', expect: () => {}, select: 'oldest' })
    // @ts-expect-error -- no such setting
    defineDrill({ name: 'weekly', plan: 'shop', expect: () => {}, clean: () => {} })
    // @ts-expect-error -- 5 minutes is not a duration
    defineDrill({ name: 'weekly', plan: 'shop', expect: () => {}, budget: '5 minutes' })
    // @ts-expect-error -- options are what --to says: texts, numbers, true or false
    defineDrill({ name: 'weekly', plan: 'shop', expect: () => {}, options: { path: ['a'] } })
  })

  test('what is not there', () => {
    // @ts-expect-error -- a drill arms nothing: what it makes, its cleanup removes
    expectTypeOf<DrillContext['undo']>().not.toBeAny()
    // @ts-expect-error -- after a crash there is no point any more, only its target
    expectTypeOf<DrillCleanupContext['point']>().not.toBeAny()
    // @ts-expect-error -- names are made before anything is restored
    defineDrill({ name: 'weekly', plan: 'shop', expect: () => {}, options: ({ where }) => ({ path: String(where) }) })
  })
})
