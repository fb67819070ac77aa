// Each test file has a namespace of its own, so that files don't see each other and leave nothing behind.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import { kubectl, run, waitFor, getObject } from './kubectl.ts'

/** Images that e2e/run.sh has built. */
export const images = {
  busybox: 'holdfast.local/busybox:1',
  node: 'holdfast.local/node:24',
  /** One program, and no shell. */
  noShell: 'holdfast.local/no-shell:1',
  holdfast: 'holdfast.local/holdfast:test',
  /** The image as the Alpine one is: root, and an `apk` that installs. Its base can't be had here. */
  dropIn: 'holdfast.local/holdfast:drop-in',
  /** Benji, to be used by hand. */
  benji: 'holdfast.local/benji:test',
  /** The same with us on top. */
  benjiK8s: 'holdfast.local/benji-k8s:test',
  /** Debian's Pushgateway. */
  pushgateway: 'holdfast.local/pushgateway:1',
  /** Databases of Debian, one per container. */
  databases: 'holdfast.local/databases:1',
} as const

/** Makes a namespace before the tests of a file, and removes it afterwards. */
export function useNamespace(prefix: string): string {
  const name = `${prefix}-${randomUUID().slice(0, 6)}`
  beforeAll(async () => {
    await kubectl(['create', 'namespace', name])
    // Pods are refused before it is there.
    await waitFor('the default service account', () => getObject('serviceaccount', 'default', name))
    await waitFor('the certificates of the API', () => getObject('configmap', 'kube-root-ca.crt', name))
  })
  afterAll(async () => {
    await run('kubectl', ['delete', 'namespace', name, '--wait=false'])
    await run('kubectl', ['-n', name, 'delete', 'pods', '--all', '--grace-period=1', '--wait=false'])
  })
  return name
}

/** What a pod needs that calls the API: the kit's cluster reaches nothing else from pods without the host's network. */
export const reachesApi = {
  hostNetwork: true,
  env: [
    { name: 'KUBERNETES_SERVICE_HOST', value: '127.0.0.1' },
    { name: 'KUBERNETES_SERVICE_PORT', value: process.env['HOLDFAST_E2E_API_PORT'] ?? '' },
  ],
} as const
