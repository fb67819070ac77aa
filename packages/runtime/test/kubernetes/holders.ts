// Hook modules that take something, and what an undo of theirs in the cluster may look like.
import { defineHook, type HookModule } from '@holdfast/sdk'
import type { FakeKubernetes } from '@holdfast/testing'
import type { effects } from '../lifecycle/hooks.ts'

type World = Pick<ReturnType<typeof effects>, 'held' | 'undo'>

/** Takes these, one after the other, and then does something: by default, it holds them for ever. */
export function holder(
  { held, undo }: World,
  names: readonly string[],
  meanwhile: () => unknown = () => new Promise(() => {}),
): HookModule {
  return defineHook(
    'maintain',
    async (ctx) => {
      for (const name of names) {
        await ctx.undo.arm(undo, name)
        held.add(name)
      }
      await meanwhile()
    },
    { name: 'quiesce', undos: [undo] },
  )
}

/** The same module with nothing to do, as the next process has it. */
export function idler({ undo }: Pick<World, 'undo'>): HookModule {
  return defineHook('maintain', () => {}, { name: 'quiesce', undos: [undo] })
}

/** An undo of a version that nobody here can read. */
export function putNewerUndo(server: FakeKubernetes): void {
  server.objects.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'holdfast-undo-x',
      namespace: 'shop',
      labels: { 'holdfast.dev/undo': 'true', 'holdfast.dev/instance': 'default' },
    },
    data: { 'undo.json': '{"schema":2}' },
  })
}
