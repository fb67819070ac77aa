// Building blocks of the lifecycle tests.
import { defineHook, definePlugin, defineUndo, type HookModule, type HookName, type Plugin } from '@holdfast/sdk'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** A schema that takes anything. */
export const anything = <T>(): StandardSchemaV1<unknown, T> => ({
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) },
})

/** How a hook goes wrong. */
export type Behaviour = 'ok' | 'throws' | 'hangs' | 'ignores abort'

/** Does what the behaviour says. */
export function behave(behaviour: Behaviour, signal: AbortSignal): unknown {
  switch (behaviour) {
    case 'ok':
      return undefined
    case 'throws':
      throw new Error('on purpose')
    case 'hangs':
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    case 'ignores abort':
      return new Promise(() => {})
  }
}

/** Effects of a test, and the undos that take them back. */
export function effects(): {
  readonly held: Set<string>
  readonly order: string[]
  readonly undo: ReturnType<typeof releaseUndo>
} {
  const held = new Set<string>()
  const order: string[] = []
  return { held, order, undo: releaseUndo(held, order) }
}

function releaseUndo(held: Set<string>, order: string[]) {
  return defineUndo({
    name: 'release',
    input: anything<string>(),
    deadline: '2m',
    run(what) {
      order.push(what)
      held.delete(what)
    },
  })
}

/** A plugin with an artifact per target, whose hooks all behave. */
export function backup(options: {
  readonly targets?: readonly string[]
  readonly behaviours?: { readonly [Name in HookName]?: Behaviour }
  readonly called?: string[]
  readonly content?: string
}): Plugin {
  const { targets = ['t'], behaviours = {}, called = [], content = 'content' } = options
  const act = (hook: HookName) => (ctx: { signal: AbortSignal }) => {
    called.push(hook)
    return behave(behaviours[hook] ?? 'ok', ctx.signal)
  }
  return definePlugin({
    name: 'backup',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    targets: () => targets.map((id) => ({ id, labels: {}, data: null })),
    hooks: {
      installDependencies: act('installDependencies'),
      validate: act('validate'),
      beforeBackups: act('beforeBackups'),
      async backups(ctx) {
        called.push('backups')
        await behave(behaviours.backups ?? 'ok', ctx.signal)
        await ctx.createArtifact('data', (sink) => sink.write(Buffer.from(content)))
      },
      afterBackups: act('afterBackups'),
      verifyBackups: act('verifyBackups'),
      pruneBackups: act('pruneBackups'),
      maintain: act('maintain'),
      onError: act('onError'),
      onFinish: act('onFinish'),
    },
  })({})
}

/** A hook module that keeps what it saw. */
export function watcher(seen: string[]): HookModule {
  return defineHook('onFinish', ({ outcome }) => seen.push(outcome.status), { name: 'watcher' })
}
