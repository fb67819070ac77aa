import type { Permission } from '@holdfast/sdk'
import type { FreezeOptions } from '../freeze/frozen.ts'
import { needsKubernetes, type VolumeSelection } from './selection.ts'

/** What {@link permissionsFor} looks at. */
export interface PermissionsForOptions extends VolumeSelection {
  readonly freeze?: Pick<FreezeOptions, 'mode'> | undefined
}

/**
 * What backing volumes up needs from the Kubernetes API: nothing for images. Claims of our own namespace (`pvcs` without
 * a namespace, or the one that POD_NAMESPACE names) take no right beyond it, but for reading PersistentVolumes, which
 * have none.
 */
export function permissionsFor(options: PermissionsForOptions): readonly Permission[] {
  if (!needsKubernetes(options)) return []
  const scope = staysHome(options) ? 'namespace' : 'cluster'
  const mayFreeze = options.freeze?.mode !== 'never'
  return [
    {
      apiGroup: '',
      resource: 'persistentvolumeclaims',
      verbs: ['get', 'list'],
      scope,
      why: 'the claims to back up are found by their namespace, labels or name',
    },
    {
      apiGroup: '',
      resource: 'persistentvolumes',
      verbs: ['get', 'list'],
      scope: 'cluster',
      why: 'a PersistentVolume says which RBD image is behind a claim',
    },
    {
      apiGroup: '',
      resource: 'events',
      verbs: ['create'],
      scope,
      why: 'how the backup of a claim ended is said where `kubectl describe pvc` shows it',
    },
    ...(mayFreeze ? freezing(scope) : []),
  ]
}

function freezing(scope: Permission['scope']): readonly Permission[] {
  return [
    {
      apiGroup: '',
      resource: 'pods',
      verbs: ['get', 'list'],
      scope,
      why: 'the pods that mount a claim say on which node its filesystem is frozen',
    },
    {
      apiGroup: '',
      resource: 'pods/exec',
      // `get` beside `create`: older API servers ask for it when the connection is a WebSocket.
      verbs: ['create', 'get'],
      scope: 'namespace',
      why: 'filesystems are frozen by the agent on their node, which runs in our own namespace',
    },
  ]
}

function staysHome({ all, namespaces = [], pvcs = [] }: VolumeSelection): boolean {
  const own = process.env['POD_NAMESPACE']
  const isOwn = (namespace: string): boolean => own !== undefined && own !== '' && namespace === own
  return (
    all !== true &&
    namespaces.every(isOwn) &&
    pvcs.every((text) => !text.includes('/') || isOwn(text.slice(0, text.indexOf('/'))))
  )
}
