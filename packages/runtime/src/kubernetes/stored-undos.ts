// The ConfigMaps of armed undos, for whoever only looks at them.
import type { MirroredUndo } from '../journal/undo-mirror.ts'
import type { RuntimeKubernetes } from './kubernetes.ts'
import { anyInstance, labels, nameOf, readUndo, selectorFor, type ConfigMap } from './undo-record.ts'

/** Options of {@link listStoredUndos}. */
export interface ListStoredUndosOptions {
  readonly kubernetes: Pick<RuntimeKubernetes, 'list' | 'namespace'>
  /** Default: every instance of the namespace. */
  readonly instance?: string | undefined
  /** Told of each that can't be read; it is left out. */
  onDamaged(error: unknown, name: string): void
}

/**
 * The armed undos that the cluster keeps in our namespace, newest first.
 *
 * @throws HoldfastError `KUBERNETES_…`
 */
export async function listStoredUndos(options: ListStoredUndosOptions): Promise<readonly MirroredUndo[]> {
  const { kubernetes, instance, onDamaged } = options
  const { namespace } = kubernetes
  const labelSelector = instance === undefined ? anyInstance(labels.undo) : selectorFor(labels.undo, instance)
  const found: MirroredUndo[] = []
  for await (const object of kubernetes.list<ConfigMap>('configmaps', { namespace, labelSelector })) {
    try {
      const stored = readUndo(object)
      if (instance === undefined || stored.undo.instance === instance) found.push(stored)
    } catch (error) {
      onDamaged(error, object.metadata.name)
    }
  }
  return found.toSorted((a, b) => b.undo.armedAt.getTime() - a.undo.armedAt.getTime())
}

/**
 * Removes one of them: what it would give back has been given back by hand.
 *
 * @throws HoldfastError `KUBERNETES_…`
 */
export async function removeStoredUndo(
  kubernetes: Pick<RuntimeKubernetes, 'delete' | 'namespace'>,
  id: string,
): Promise<void> {
  const { namespace } = kubernetes
  await kubernetes.delete('configmaps', nameOf.undo(id), { namespace })
}
