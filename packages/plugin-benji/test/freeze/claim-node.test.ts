// On which node a claim is frozen.
import { hostname } from 'node:os'
import type { Kubernetes, KubernetesObject } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { nodeOfClaim } from '../../src/freeze/claim-node.ts'
import type { Claim } from '../../src/target.ts'
import { dataClaim, failureOf } from './support.ts'

interface Pod {
  readonly name: string
  /** Default: `shop`. */
  readonly namespace?: string
  /** Default: `a`. */
  readonly node?: string
  readonly phase?: string
  readonly volumes?: readonly object[]
}

const uses = { name: 'data', persistentVolumeClaim: { claimName: 'data' } }

function cluster(pods: readonly Pod[]): Kubernetes {
  return {
    namespace: 'backup',
    async *list(type: string, { namespace = '' } = {}) {
      expect(type).toBe('pods')
      for (const { name, namespace: where = 'shop', node = 'a', phase = 'Running', volumes = [uses] } of pods) {
        if (where !== namespace) continue
        const spec = { volumes, ...(node !== '' && { nodeName: node }) }
        yield { metadata: { name, namespace: where }, spec, status: { phase } } as KubernetesObject
      }
    },
  } as unknown as Kubernetes
}

test.each<[string, readonly Pod[], string]>([
  [
    'K2, B2: of the pod in the namespace of the claim',
    [{ name: 'x', namespace: 'backup', node: 'b' }, { name: 'db' }],
    'a',
  ],
  ['of several pods on one node', [{ name: 'db-0' }, { name: 'db-1' }], 'a'],
  [
    'K5: not of a pod that has ended',
    [{ name: 'x', node: 'b', phase: 'Succeeded' }, { name: 'y', node: 'c', phase: 'Failed' }, { name: 'db' }],
    'a',
  ],
  [
    'K5: not of pods without volumes, or with others',
    [
      { name: 'x', node: 'b', volumes: [] },
      {
        name: 'y',
        node: 'c',
        volumes: [{ name: 'data' }, { name: 'z', persistentVolumeClaim: { claimName: 'data-2' } }],
      },
      { name: 'db' },
    ],
    'a',
  ],
  ['of a pod on a node that has gone silent', [{ name: 'db', phase: 'Unknown' }], 'a'],
  ['of two pods of which one starts there', [{ name: 'db' }, { name: 'next', phase: 'Pending' }], 'a'],
  ['of two pods of which one is nowhere yet', [{ name: 'db' }, { name: 'next', phase: 'Pending', node: '' }], 'a'],
  ['of a pod with a generic ephemeral volume', [{ name: 'cache', volumes: [{ name: 'scratch', ephemeral: {} }] }], 'a'],
])('fault F38: %s', async (_, pods, node) => {
  const name = pods[0]?.name === 'cache' ? 'cache-scratch' : 'data'
  expect(await nodeOfClaim(cluster(pods), { ...dataClaim, name })).toBe(node)
})

test.each<[string, readonly Pod[], string, Partial<Claim>?]>([
  [
    'two nodes write to it',
    [
      { name: 'x', node: 'b' },
      { name: 'y', node: 'a' },
    ],
    'mounted on 2 nodes: a, b',
  ],
  ['another node is about to', [{ name: 'x' }, { name: 'y', node: 'b', phase: 'Pending' }], 'mounted on 2 nodes: a, b'],
  ['it is a block device', [{ name: 'db' }], 'it is a block device', { volumeMode: 'Block' }],
  ['nobody uses it', [], 'no running pod in the namespace shop uses it'],
  ['only a pod that has ended does', [{ name: 'x', phase: 'Succeeded' }], 'no running pod'],
  ['its pod still starts', [{ name: 'db', phase: 'Pending' }], 'still starting: db'],
  [
    'DESIGN 4d: it is our own',
    [{ name: hostname(), namespace: 'backup' }],
    'keeps its own state on it',
    { namespace: 'backup' },
  ],
])('O15, fault F38: refused, because %s', async (_, pods, reason, claim = {}) => {
  const failure = await failureOf(nodeOfClaim(cluster(pods), { ...dataClaim, ...claim }))
  expect(failure).toMatchObject({ code: 'FREEZE_IMPOSSIBLE', message: expect.stringContaining(reason) })
  expect(failure.hint).toMatch(/^Nothing was done to it\./)
})
