import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testClock } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { ruleFor, subjectOf } from '../../src/kubernetes/api-path.ts'
import { openCluster } from '../../src/kubernetes/cluster.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import {
  enginePermissions,
  findMissingPermissions,
  mergePermissions,
  neededPermissions,
} from '../../src/kubernetes/permissions.ts'
import type { ResolvedConfig } from '../../src/load/resolved.ts'
import { failureOf, scratch, serve, setUp } from './support.ts'

describe('the cluster that we belong to', () => {
  test('without a service account and a kubeconfig there is none', async () => {
    const clock = testClock()
    expect(await openCluster({ env: {}, clock, serviceAccountDirectory: scratch() })).toBeUndefined()
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }
    // automountServiceAccountToken: false
    expect(await connect({ env, clock, serviceAccountDirectory: scratch() })).toBeUndefined()
  })

  test('a pod’s service account, also over IPv6, knows its namespace and its pod', async () => {
    const directory = scratch()
    writeFileSync(join(directory, 'token'), 'abc\n')
    writeFileSync(join(directory, 'namespace'), 'shop\n')
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443', POD_NAME: 'web-0', POD_UID: 'u' }
    const cluster = await openCluster({ env, clock: testClock(), serviceAccountDirectory: directory })
    expect(cluster?.connection.server.href).toBe('https://[fd00::1]:6443/')
    expect(cluster?.kubernetes.namespace).toBe('shop')
    expect(cluster?.pod).toEqual({ name: 'web-0', namespace: 'shop', uid: 'u', container: '' })
    expect((await cluster?.connection.credentials())?.headers).toEqual({ authorization: 'Bearer abc' })
  })

  test('a kubeconfig that is missing or empty is said to be', async () => {
    const clock = testClock()
    const missing = await failureOf(connect({ env: { KUBECONFIG: '/nowhere/config' }, clock }))
    expect(missing.code).toBe('KUBECONFIG_INVALID')
    expect(missing.message).toContain('/nowhere/config')
    const empty = join(scratch(), 'config')
    writeFileSync(empty, 'apiVersion: v1\nkind: Config\n')
    expect((await failureOf(connect({ env: { KUBECONFIG: empty }, clock }))).message).toContain('no current context')
  })

  test('a kubeconfig without encryption that does not say so is refused at once, not tried for 30 s', async () => {
    const file = join(scratch(), 'config')
    const server = await serve()
    const plain = server.kubeconfig()
    expect(plain).toContain('insecure-skip-tls-verify: true')
    writeFileSync(file, plain)
    expect((await connect({ env: { KUBECONFIG: file }, clock: testClock() }))?.server.protocol).toBe('http:')
    writeFileSync(file, plain.replace('insecure-skip-tls-verify: true', 'insecure-skip-tls-verify: false'))
    const refused = await failureOf(connect({ env: { KUBECONFIG: file }, clock: testClock() }))
    expect(refused.code).toBe('KUBECONFIG_INVALID')
    expect(refused.message).toContain('insecure-skip-tls-verify')
  })

  test.each(['ftp://db:1', 'not a URL', ''])('a kubeconfig whose server is "%s" is refused at once', async (server) => {
    const file = join(scratch(), 'config')
    const parts = {
      clusters: 'cluster: {server: "SERVER"}',
      contexts: 'context: {cluster: a, user: a}',
      users: 'user: {}',
    }
    const lists = Object.entries(parts).map(([list, of]) => `${list}: [{name: a, ${of}}]\n`)
    writeFileSync(file, `apiVersion: v1\nkind: Config\ncurrent-context: a\n${lists.join('').replace('SERVER', server)}`)
    const refused = await failureOf(connect({ env: { KUBECONFIG: file }, clock: testClock() }))
    expect(refused.code).toBe('KUBECONFIG_INVALID')
  })

  test('several kubeconfigs are merged, and one that changes is read again', async () => {
    const server = await serve({ namespace: 'shop' })
    const directory = scratch()
    const [first, second] = [join(directory, 'first'), join(directory, 'second')]
    writeFileSync(first, server.kubeconfig())
    writeFileSync(
      second,
      'apiVersion: v1\nkind: Config\nclusters: [{name: other, cluster: {server: "https://other:1"}}]\n',
    )
    const connection = await connect({ env: { KUBECONFIG: `${first}:${second}` }, clock: testClock() })
    expect(connection?.server.host).toBe(new URL(server.url).host)
    const before = await connection?.credentials()
    server.rotateToken()
    writeFileSync(first, server.kubeconfig())
    const after = await connection?.credentials({ refresh: true })
    expect(after?.headers['authorization'] ?? after?.headers['Authorization']).not.toBe(
      before?.headers['authorization'] ?? before?.headers['Authorization'],
    )
  })
})

describe('types', () => {
  test('built-in ones need no discovery; others are looked up once', async () => {
    const { server, kubernetes } = await setUp()
    await kubernetes.get('leases.coordination.k8s.io', 'a')
    expect(server.requests.map(({ path }) => path)).toEqual(['/apis/coordination.k8s.io/v1/namespaces/shop/leases/a'])
    await kubernetes.get('roles.rbac.authorization.k8s.io', 'a')
    await kubernetes.get('roles.rbac.authorization.k8s.io', 'b')
    const discovery = server.requests.filter(({ path }) => !path.includes('/namespaces/'))
    expect(discovery.map(({ path }) => path)).toEqual([
      '/apis/rbac.authorization.k8s.io',
      '/apis/rbac.authorization.k8s.io/v1',
    ])
  })

  test.each(['widgets', 'widgets.example.com', 'Pods', '../secrets', 'toString'])('%s is unknown', async (type) => {
    const { kubernetes } = await setUp()
    expect((await failureOf(kubernetes.get(type, 'a'))).code).toBe('KUBERNETES_TYPE_UNKNOWN')
  })

  test('names are encoded, so that none reaches another path', async () => {
    const { server, kubernetes } = await setUp()
    await kubernetes.get('configmaps', 'a?b#c d', { namespace: 'ö&e' }).catch(() => {})
    expect(server.requests[0]?.path).toContain('/namespaces/%C3%B6%26e/configmaps/a%3Fb%23c%20d')
  })

  // With '' the API server deletes all of the type, with '..' the namespace, and '%2F' is a slash to it.
  test.each(['', '.', '..', '../secrets/a', 'a/status', '%2e%2e'])(
    'nothing is done to an object "%s"',
    async (name) => {
      const { server, kubernetes } = await setUp()
      await kubernetes.create('configmaps', { metadata: { name: 'a' } })
      const { length } = server.requests
      const body = { metadata: { name } }
      for (const [what, work] of [
        ['delete', () => kubernetes.delete('configmaps', name)],
        ['get', () => kubernetes.get('configmaps', name)],
        ['replace', () => kubernetes.replace('configmaps', body)],
        ['delete in', () => kubernetes.delete('configmaps', 'a', { namespace: name })],
        ['list in', () => kubernetes.list('configmaps', { namespace: name })[Symbol.asyncIterator]().next()],
      ] as const) {
        expect(await failureOf(work()), what).toMatchObject({
          code: 'KUBERNETES_NAME_INVALID',
          message: `"${name}" is no name: no object or namespace can be called that`,
        })
      }
      expect(server.requests).toHaveLength(length)
      expect(await kubernetes.get('configmaps', 'a')).toBeDefined()
    },
  )
})

test('an event is about its object, in its namespace, and short enough for the API', async () => {
  const { server, kubernetes } = await setUp()
  const about = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'data', uid: 'u1' }
  await kubernetes.event(about, {
    type: 'Warning',
    reason: 'BackupFailed',
    message: 'ö'.repeat(5000),
    labels: { a: 'b' },
  })
  const volume = { apiVersion: 'v1', kind: 'PersistentVolume', name: 'pv1' }
  await kubernetes.event(volume, { type: 'Normal', reason: 'BackupSucceeded', message: 'well' })
  const events = server.objects.list('events')
  expect(events).toHaveLength(2)
  const [claim] = events.filter(({ metadata }) => metadata.namespace === 'shop')
  expect(claim).toMatchObject({ involvedObject: about, type: 'Warning', reason: 'BackupFailed' })
  expect(claim?.metadata.labels).toEqual({ a: 'b' })
  expect(String(claim?.['message']).length).toBeLessThanOrEqual(1024)
  expect(events.some(({ metadata }) => metadata.namespace === 'default')).toBe(true)
})

test('an object is replaced only if it is still the one that was read', async () => {
  const { kubernetes } = await setUp()
  const made = await kubernetes.create('configmaps', { metadata: { name: 'a' }, data: { n: '1' } })
  await kubernetes.replace('configmaps', { ...made, data: { n: '2' } })
  expect((await failureOf(kubernetes.replace('configmaps', { ...made, data: { n: '3' } }))).code).toBe(
    'KUBERNETES_CONFLICT',
  )
  expect(await kubernetes.get('configmaps', 'a')).toMatchObject({ data: { n: '2' } })
})

describe('permissions', () => {
  const config = (replicas: 'each' | 'leader', undoMirror = true): ResolvedConfig => ({
    instance: 'default',
    storage: undefined,
    notify: [],
    replicas,
    undoMirror,
    source: 'test',
    plans: [],
    drills: [],
  })

  test('the engine asks for what it uses, and no more', () => {
    const verbs = (of: ResolvedConfig): readonly string[] =>
      enginePermissions(of).map(({ resource, verbs: list }) => `${resource}: ${list.join(' ')}`)
    expect(verbs(config('each'))).toEqual(['configmaps: create get list delete', 'pods: get', 'events: create'])
    expect(verbs(config('leader', false))).toEqual(['pods: get', 'events: create', 'leases: create get update'])
  })

  test('a Lease that was made for us is the only one that is asked for, and none is created', async () => {
    const { server, kubernetes } = await setUp()
    // As a chart's Role grants it.
    server.authorize.allowOnly([
      { apiGroup: '', resource: 'configmaps', verb: ['create', 'get', 'list', 'delete'] },
      { apiGroup: '', resource: 'pods', verb: 'get' },
      { apiGroup: '', resource: 'events', verb: 'create' },
      { apiGroup: 'coordination.k8s.io', resource: 'leases', verb: ['get', 'update'], name: 'shop-holdfast' },
    ])
    const missing = async (lease?: string): Promise<readonly string[]> => {
      const found = await findMissingPermissions(kubernetes, neededPermissions(config('leader'), { lease }))
      return found.map(({ error }) => `${error.message}. ${error.hint}`)
    }
    expect(await missing('shop-holdfast')).toEqual([])
    expect(await missing('another')).toEqual([
      expect.stringMatching(
        /^Holdfast itself may not get, update leases "another" in namespace "shop"\..* resourceNames: \["another"\], verbs: \["get", "update"\] \}/,
      ),
    ])
    for (const none of [undefined, '']) {
      expect(await missing(none)).toEqual([
        expect.stringMatching(/^Holdfast itself may not create, get, update leases in namespace "shop"\./),
      ])
    }
    const asked = server.requests
      .map(({ body }) => (body as { spec: { resourceAttributes: Record<string, string> } }).spec.resourceAttributes)
      .filter(({ resource }) => resource === 'leases')
    expect(asked.slice(0, 2)).toEqual(
      ['get', 'update'].map((verb) => ({
        verb,
        group: 'coordination.k8s.io',
        resource: 'leases',
        name: 'shop-holdfast',
        namespace: 'shop',
      })),
    )
  })

  test('what is denied is found, verb by verb, with the rule and with who needs it', async () => {
    const { server, kubernetes } = await setUp()
    const needed = neededPermissions(config('leader'))
    expect(await findMissingPermissions(kubernetes, needed)).toEqual([])
    server.authorize.deny({ verb: 'delete', resource: 'configmaps' })
    server.authorize.deny({ verb: ['create', 'update'], resource: 'leases' })
    const missing = await findMissingPermissions(kubernetes, needed)
    expect(missing.map(({ error }) => error.message)).toEqual([
      'Holdfast itself may not delete configmaps in namespace "shop"',
      'Holdfast itself may not create, update leases in namespace "shop"',
    ])
    expect(missing[1]?.error.hint).toContain(
      ruleFor({ apiGroup: 'coordination.k8s.io', resource: 'leases', verbs: ['create', 'update'] }),
    )
  })

  test('subresources and cluster scope are asked for as such, each once', async () => {
    const { server, kubernetes } = await setUp()
    const exec = {
      apiGroup: '',
      resource: 'pods/exec',
      verbs: ['create', 'get'],
      scope: 'namespace',
      why: 'a',
    } as const
    const volumes = {
      apiGroup: '',
      resource: 'persistentvolumes',
      verbs: ['list'],
      scope: 'cluster',
      why: 'b',
    } as const
    const needed = [exec, exec, volumes].map((permission) => ({ permission, owner: 'plan "a": plugin "b"', plan: 'a' }))
    await findMissingPermissions(kubernetes, needed)
    const asked = server.requests.map(
      ({ body }) => (body as { spec: { resourceAttributes: object } }).spec.resourceAttributes,
    )
    expect(asked).toEqual([
      { verb: 'create', group: '', resource: 'pods', subresource: 'exec', namespace: 'shop' },
      { verb: 'get', group: '', resource: 'pods', subresource: 'exec', namespace: 'shop' },
      { verb: 'list', group: '', resource: 'persistentvolumes' },
    ])
  })

  test('the same resource is one rule, with all verbs and all reasons', () => {
    const pods = { apiGroup: '', resource: 'pods', scope: 'namespace' } as const
    expect(
      mergePermissions([
        { ...pods, verbs: ['list', 'get'], why: 'find' },
        { ...pods, verbs: ['get', 'watch'], why: 'follow' },
        { ...pods, scope: 'cluster', verbs: ['get'], why: 'far' },
      ]),
    ).toEqual([
      { ...pods, scope: 'cluster', verbs: ['get'], why: 'far' },
      { ...pods, verbs: ['get', 'list', 'watch'], why: 'find; follow' },
    ])
  })
})

test.each([
  ['GET', '/api/v1/namespaces/shop/pods', 'list', '', 'pods', 'shop', undefined],
  ['GET', '/api/v1/namespaces/shop', 'get', '', 'namespaces', undefined, 'shop'],
  ['GET', '/api/v1/pods', 'list', '', 'pods', undefined, undefined],
  ['POST', '/api/v1/namespaces/shop/pods/web-0/exec', 'create', '', 'pods/exec', 'shop', 'web-0'],
  ['PUT', '/apis/coordination.k8s.io/v1/namespaces/a/leases/b', 'update', 'coordination.k8s.io', 'leases', 'a', 'b'],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments', 'deletecollection', 'apps', 'deployments', 'a', undefined],
  ['PATCH', '/api/v1/persistentvolumes/pv1', 'patch', '', 'persistentvolumes', undefined, 'pv1'],
] as const)('%s %s is to %s', (method, path, verb, apiGroup, resource, namespace, name) => {
  expect(subjectOf(method, path)).toEqual({ verb, apiGroup, resource, namespace, name })
})
