// What must compile, and what must not: the promises that the types make to authors.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expectTypeOf, test } from 'vitest'
import {
  defineConfig,
  defineErrors,
  defineHook,
  definePlugin,
  defineUndo,
  type ArmedUndo,
  type ContainerRef,
  type HookModule,
  type LifecyclePolicy,
  type Plan,
  type Plugin,
  type StorageDriver,
} from '../src/index.ts'

test('what an option may leave out can be handed on, as zod has it: `undefined`, with exactOptionalPropertyTypes', () => {
  const where = (options: { pod: string; container: string; namespace?: string | undefined }): ContainerRef => options
  expectTypeOf(where).returns.toExtend<ContainerRef>()
  const optional = undefined as string | undefined
  defineHook('backups', async ({ createArtifact, kubernetes, lock }) => {
    await createArtifact('a', () => {}, { meta: undefined, minSize: undefined })
    await lock('a', () => {}, { wait: undefined })
    await kubernetes?.get('pods', 'shop-0', { namespace: optional })
    await kubernetes?.delete('pods', 'shop-0', { namespace: optional })
    kubernetes?.list('pods', { namespace: optional, labelSelector: optional })
  })
  freezer({ path: '/data' }, { name: optional })
})

declare function schema<Input, Output = Input>(): StandardSchemaV1<Input, Output>

const thaw = defineUndo({
  name: 'thaw',
  input: schema<unknown, { path: string }>(),
  deadline: '2m',
  run: ({ path }, { exec }) => exec.local({ command: ['fsfreeze', '--unfreeze', path] }),
})

const freezer = definePlugin({
  name: 'freezer',
  version: '1.0.0',
  sdk: '^1.0',
  config: schema<{ path: string; size?: number }, { path: string; size: number }>(),
  undos: [thaw],
  targets: (ctx) => [{ id: ctx.config.path, labels: {}, data: { device: 'sda' } }],
  hooks: {
    async beforeBackups(ctx) {
      expectTypeOf(ctx.config.size).toEqualTypeOf<number>()
      const armed = await ctx.undo.arm(thaw, { path: ctx.config.path })
      expectTypeOf(armed).toEqualTypeOf<ArmedUndo>()
    },
    backups: {
      timeout: '1h',
      retry: { attempts: 2 },
      async handler(ctx) {
        expectTypeOf(ctx.target.data).toEqualTypeOf<{ device: string }>()
        await ctx.createArtifact('disk', (sink) => sink.write(new Uint8Array()))
      },
    },
  },
})

describe('a plan', () => {
  test('takes plugins and hook modules of every kind', () => {
    const hooks: HookModule[] = [
      defineHook('installDependencies', ({ exec }) => exec.local({ command: ['apk', 'add', 'zstd'] })),
      defineHook('validate', ({ phase }) => expectTypeOf(phase).toEqualTypeOf<'load' | 'run' | 'command'>()),
      defineHook('beforeBackups', ({ undo }) => undo.arm(thaw, { path: '/data' }), { undos: [thaw] }),
      defineHook('backups', ({ createArtifact }) => createArtifact('dump', (sink) => sink.write(new Uint8Array()))),
      defineHook('verifyBackups', async ({ points, openArtifact }) => {
        for await (const chunk of openArtifact(points[0]?.id ?? '')) expectTypeOf(chunk).toEqualTypeOf<Uint8Array>()
      }),
      defineHook('pruneBackups', ({ expired }) => expired.length),
      defineHook('maintain', { timeout: '2h', handler: ({ progress }) => progress(1, 2) }),
      defineHook('onError', ({ outcome }) => outcome.error?.code),
      defineHook('onFinish', ({ outcome, log }) => log.info(outcome.status)),
    ]
    const plan: Plan = { name: 'shop', schedule: { cron: '0 3 * * *' }, use: [freezer({ path: '/data' }), ...hooks] }
    defineConfig({ instance: 'prod', plans: [plan] })
    expectTypeOf(freezer({ path: '/data' })).toEqualTypeOf<Plugin>()
  })
})

describe('does not compile', () => {
  test('a wrong hook name', () => {
    // @ts-expect-error -- beforeBackup is not a hook
    defineHook('beforeBackup', () => {})
    definePlugin({
      name: 'typo',
      version: '1.0.0',
      sdk: '^1.0',
      config: schema<object>(),
      // @ts-expect-error -- afterBackup is not a hook
      hooks: { afterBackup: () => {} },
    })
  })

  test('a context that the hook does not have', () => {
    // @ts-expect-error -- a run has no target
    defineHook('beforeBackups', ({ target }) => target)
    // @ts-expect-error -- a check arms nothing
    defineHook('validate', ({ undo }) => undo)
    // @ts-expect-error -- only observers see the outcome
    defineHook('backups', ({ outcome }) => outcome)
    // @ts-expect-error -- pruning does not create
    defineHook('pruneBackups', ({ createArtifact }) => createArtifact)
  })

  test('a missing or wrong option', () => {
    // @ts-expect-error -- path is required
    freezer({})
    // @ts-expect-error -- path is a string
    freezer({ path: 1 })
    // @ts-expect-error -- no such option
    freezer({ path: '/data', sise: 1 })
  })

  test('a wrong undo input', () => {
    // @ts-expect-error -- path is a string
    defineHook('beforeBackups', ({ undo }) => undo.arm(thaw, { path: 1 }))
    // @ts-expect-error -- path is required
    defineHook('beforeBackups', ({ undo }) => undo.arm(thaw, {}))
  })

  test('wrong target data', () => {
    definePlugin({
      name: 'data',
      version: '1.0.0',
      sdk: '^1.0',
      config: schema<object>(),
      targets: () => [{ id: 'a', labels: {}, data: { device: 'sda' } }],
      // @ts-expect-error -- data has a device, no disk
      hooks: { backups: (ctx) => ctx.target.data.disk },
    })
  })

  test('a policy with a wrong kind, or without a hook', () => {
    const observe = {
      kind: 'observe',
      when: 'always',
      afterRunFailure: true,
      stop: 'never',
      onFailure: 'warn',
      signal: 'reserve',
      inDryRun: 'run',
      timeout: '1m',
    } as const
    // @ts-expect-error -- every hook needs a policy
    const incomplete: LifecyclePolicy = { onFinish: observe }
    // @ts-expect-error -- backups is of kind targets
    const wrong: Pick<LifecyclePolicy, 'backups'> = { backups: observe }
    expectTypeOf(incomplete).not.toBeAny()
    expectTypeOf(wrong).not.toBeAny()
  })

  test('a bad duration, SDK range, error code or command', () => {
    // @ts-expect-error -- 5 minutes is not a duration
    defineHook('maintain', { timeout: '5 minutes', handler: () => {} })
    // @ts-expect-error -- a range has a caret
    definePlugin({ name: 'x', version: '1.0.0', sdk: '1.0', config: schema<object>(), hooks: {} })
    // @ts-expect-error -- codes are upper snake case
    defineErrors({ oops: { message: () => 'x', hint: 'y' } }).oops({})
    // @ts-expect-error -- a command has a program
    defineHook('maintain', ({ exec }) => exec.local({ command: [] }))
  })

  test('a number where the configuration wants a driver or a plan', () => {
    // @ts-expect-error -- storage is a driver
    defineConfig({ storage: 's3://bucket', plans: [] })
    // @ts-expect-error -- a plan uses plugins and hook modules
    defineConfig({ plans: [{ name: 'x', use: ['scripts'] }] })
    expectTypeOf<StorageDriver['put']>().returns.toEqualTypeOf<Promise<void>>()
  })
})
