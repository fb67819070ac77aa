import type { FakeKubernetes } from '@holdfast/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { withoutCluster, type Liveness, type Owners } from '../../src/journal/owners.ts'
import { livenessElsewhere, livenessOf } from '../../src/journal/process.ts'
import { processStart, startIn } from '../../src/journal/process-start.ts'
import type { ProcessRecord } from '../../src/journal/records.ts'
import type { Locks } from '../../src/journal/locks.ts'
import { createIdentifier, identityFromMounts, knownIdentity, workloadOf } from '../../src/kubernetes/own-identity.ts'
import { createOwners } from '../../src/kubernetes/owners.ts'
import { createLogger } from '../../src/telemetry/log.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'
import { clusterOf } from './pods.ts'
import { serve, setUp } from './support.ts'

const log = createLogger({
  level: 'silent',
  format: 'json',
  redactor: createRedactor(),
  destination: { write: () => {} },
})

const self: ProcessRecord = {
  id: 'me',
  pid: 1,
  host: 'web-0',
  boot: 'kernel',
  pod: 'uid-0',
  podName: 'web-0',
  namespace: 'shop',
  workload: 'Deployment/web',
  container: 'holdfast',
  containerStart: '100',
  processStart: '101',
  startedAt: new Date(0),
}
const owner: ProcessRecord = { ...self, id: 'other', pid: 7, containerStart: '90', processStart: '91' }

const saying = (pod: Liveness, deposed = false): Owners => ({
  refresh: async () => {},
  podOf: () => pod,
  depose: () => () => {},
  isDeposed: () => deposed,
})

describe('whether an owner in the cluster lives', () => {
  const rows: readonly (readonly [string, Partial<ProcessRecord>, Partial<ProcessRecord>, Liveness, Owners?])[] = [
    ['ourselves', { id: 'me' }, {}, 'alive'],
    ['an earlier start of our container', {}, {}, 'gone'],
    ['a process of our container that runs', { containerStart: '100', processStart: 'of 7' }, {}, 'alive'],
    ['a process of our container whose pid is another one’s now', { containerStart: '100' }, {}, 'gone'],
    ['another container of our pod', { container: 'second' }, {}, 'alive'],
    ['some container of our pod', { container: undefined }, {}, 'unknown'],
    [
      'some container of our pod, before the machine started anew',
      { container: undefined, boot: 'before' },
      {},
      'gone',
    ],
    ['a pod of which nothing is known', { pod: 'uid-1' }, {}, 'unknown'],
    ['a pod that lives', { pod: 'uid-1' }, {}, 'alive', saying('alive')],
    ['a pod that is gone', { pod: 'uid-1' }, {}, 'gone', saying('gone')],
    ['a leader that lost its lease, in a pod that lives', { pod: 'uid-1' }, {}, 'gone', saying('alive', true)],
    ['a pod, for somebody outside of the cluster', { pod: 'uid-1' }, { pod: undefined }, 'alive', saying('alive')],
    [
      'a process of this machine that runs',
      { pod: undefined, containerStart: '100', processStart: 'of 7' },
      { pod: undefined },
      'alive',
    ],
    ['a process of this machine that ended', { pod: undefined, containerStart: '100' }, { pod: undefined }, 'gone'],
    ['this machine before its restart', { pod: undefined, boot: 'before' }, { pod: undefined }, 'gone'],
    ['another machine', { pod: undefined, boot: 'elsewhere', host: 'other' }, { pod: undefined }, 'unknown'],
  ]
  for (const [who, of, we, expected, owners = withoutCluster()] of rows) {
    test(`${who}: ${expected}`, () => {
      const startOf = (pid: number): string => `of ${pid}`
      expect(livenessElsewhere({ ...owner, ...of }, { ...self, ...we }, owners, startOf)).toBe(expected)
    })
  }
})

describe('whether an owner in our own journal lives', () => {
  const locks = (isFree: boolean): Locks =>
    ({ tryAcquire: () => (isFree ? { release: () => {} } : undefined) }) as unknown as Locks
  test.each<readonly [string, Partial<ProcessRecord>, Liveness, Owners, Locks]>([
    ['on this machine its lock tells, whatever the API says', {}, 'alive', saying('gone', true), locks(false)],
    ['on this machine without its lock it is gone', {}, 'gone', saying('alive'), locks(true)],
    [
      'a pod that moved to another machine, and is gone',
      { boot: 'b', host: 'h', pod: 'p' },
      'gone',
      saying('gone'),
      locks(true),
    ],
    ['a pod on another machine that lives', { boot: 'b', pod: 'p' }, 'alive', saying('alive'), locks(true)],
    ['a pod of our name, and no API', { boot: 'b', pod: 'p' }, 'gone', withoutCluster(), locks(true)],
    ['a pod of another name, and no API', { boot: 'b', host: 'h', pod: 'p' }, 'unknown', withoutCluster(), locks(true)],
  ])('%s', (_, of, expected, owners, with_) => {
    expect(livenessOf({ ...owner, ...of }, self, with_, owners)).toBe(expected)
  })
})

describe('pods', () => {
  let server: FakeKubernetes
  let owners: Owners
  beforeEach(async () => {
    const made = await setUp()
    server = made.server
    owners = createOwners({ kubernetes: made.kubernetes, log })
  })
  const inPod = (uid: string): ProcessRecord => ({ ...owner, pod: uid, podName: 'web-1' })

  test('live as long as the API has them, under their own UID, and they have not ended', async () => {
    const { uid } = server.addPod({ name: 'web-1', containers: [{ name: 'c' }] }).metadata
    await owners.refresh([inPod(uid), inPod('its predecessor')])
    expect([owners.podOf(inPod(uid)), owners.podOf(inPod('its predecessor'))]).toEqual(['alive', 'gone'])
    server.addPod({ name: 'web-1', uid, phase: 'Succeeded', containers: [{ name: 'c' }] })
    await owners.refresh([inPod(uid)])
    expect(owners.podOf(inPod(uid))).toBe('gone')
  })

  test('whoever is gone stays gone, and is not asked for again', async () => {
    await owners.refresh([inPod('x')])
    const asked = server.requests.length
    await owners.refresh([inPod('x')])
    expect(owners.podOf(inPod('x'))).toBe('gone')
    expect(server.requests).toHaveLength(asked)
  })

  test('whose name is not sure are not asked for: nobody knows', async () => {
    const nameless = { ...inPod('x'), podName: undefined }
    await owners.refresh([nameless])
    expect(owners.podOf(nameless)).toBe('unknown')
    expect(server.requests).toEqual([])
  })
})

describe('which pod we are', () => {
  const mounts = (point: string): string =>
    [
      '600 500 0:300 / / rw,relatime - overlay overlay rw',
      `603 600 8:1 /var/lib/kubelet/pods/0b6f2c1e-7a51-4a55-9f0a-2d8f0c7a9b11/containers/backup/5f3c2a1b ${point} rw - ext4 /dev/sda1 rw`,
    ].join('\n')

  test('is read from the kubelet’s mounts where nobody says it', () => {
    const pod = { name: 'web-0', namespace: 'shop', uid: undefined, container: '' }
    expect(knownIdentity({ pod }, mounts('/dev/termination-log'))).toEqual({
      pod: '0b6f2c1e-7a51-4a55-9f0a-2d8f0c7a9b11',
      podName: undefined,
      namespace: 'shop',
      workload: undefined,
      container: 'backup',
    })
    const said = { ...pod, uid: 'said', container: 'also said' }
    expect(knownIdentity({ pod: said }, mounts('/dev/termination-log'))).toMatchObject({
      pod: 'said',
      container: 'also said',
    })
  })

  test('is not taken from the mounts of others, as a node sees them', () => {
    const point = '/var/lib/kubelet/pods/0b6f2c1e-7a51-4a55-9f0a-2d8f0c7a9b11/containers/backup/5f3c2a1b'
    expect(identityFromMounts(mounts(point))).toBeUndefined()
    expect(identityFromMounts('garbage')).toBeUndefined()
  })

  test.each([
    ['POD_NAME that is another pod’s', 'database-0', undefined],
    ['POD_NAME that the API confirms', 'web-0', 'web-0'],
    ['the name of the node instead of a pod’s', 'node-1', undefined],
  ])('%s', async (_, name, expected) => {
    const server = await serve({ namespace: 'shop' })
    const { uid } = server.addPod({ name: 'web-0', containers: [{ name: 'c' }] }).metadata
    server.addPod({ name: 'database-0', containers: [{ name: 'c' }] })
    const env = { KUBERNETES_SERVICE_HOST: 'x', POD_NAME: name, POD_UID: uid }
    const cluster = clusterOf(server, env, systemClock)
    let identity = knownIdentity(cluster, '')
    await createIdentifier({ cluster, log, current: () => identity, update: (next) => (identity = next) })()
    expect(identity).toMatchObject({ pod: uid, podName: expected })
    cluster.close()
  })
})

test.each([
  [
    'a Deployment',
    'web-5d8f7c-x2x4z',
    { kind: 'ReplicaSet', name: 'web-5d8f7c' },
    { 'pod-template-hash': '5d8f7c' },
    'Deployment/web',
  ],
  [
    'a Rollout',
    'web-77-abcde',
    { kind: 'ReplicaSet', name: 'web-77' },
    { 'rollouts-pod-template-hash': '77' },
    'Deployment/web',
  ],
  ['a ReplicaSet of nobody’s', 'web-abcde', { kind: 'ReplicaSet', name: 'web' }, {}, 'ReplicaSet/web'],
  ['a StatefulSet', 'db-0', { kind: 'StatefulSet', name: 'db' }, {}, 'StatefulSet/db'],
  ['a CronJob', 'nightly-29401980-x2x4z', { kind: 'Job', name: 'nightly-29401980' }, {}, 'Job/nightly'],
  ['a Job', 'once-x2x4z', { kind: 'Job', name: 'once' }, {}, 'Job/once'],
  ['nobody', 'alone', undefined, {}, 'Pod/alone'],
])('the pods of %s are known by it', (_, name, keeper, labels, expected) => {
  const ownerReferences = keeper
    ? [
        { kind: 'Node', name: 'n' },
        { ...keeper, controller: true },
      ]
    : []
  expect(workloadOf({ metadata: { name, labels, ownerReferences } })).toBe(expected)
})

test('when a process began is read past whatever its program is called', () => {
  const rest = ['S', ...Array.from({ length: 18 }, (_, index) => String(index + 4)), '4242', '23'].join(' ')
  expect(startIn(`7 (a) b) (c) ${rest}`)).toBe('4242')
  expect(processStart('self')).toMatch(/^\d+$/)
  expect(processStart(2 ** 22 + 1)).toBeUndefined()
})
