import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { accessRulesOf, selfSignedTls, startFakeKubernetes, type FakeKubernetes } from '../src/index.ts'
import { execClient } from './support/exec-client.ts'
import { call, secureStatus, type Answer } from './support/rest-client.ts'

const user = 'system:serviceaccount:default:holdfast'
const pods = '/api/v1/namespaces/default/pods'

function mayI(server: FakeKubernetes, resourceAttributes: object): Promise<boolean> {
  return call(server, 'POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    body: { spec: { resourceAttributes } },
  }).then(({ body }: Answer) => body.status.allowed as boolean)
}

test.each([
  [
    'GET',
    `${pods}/p`,
    'pods "p" is forbidden: User "USER" cannot get resource "pods" in API group "" in the namespace "default"',
  ],
  [
    'GET',
    pods,
    'pods is forbidden: User "USER" cannot list resource "pods" in API group "" in the namespace "default"',
  ],
  [
    'GET',
    '/api/v1/pods?watch=true',
    'pods is forbidden: User "USER" cannot watch resource "pods" in API group "" at the cluster scope',
  ],
  [
    'GET',
    `${pods}?fieldSelector=metadata.name%3Dp`,
    'pods "p" is forbidden: User "USER" cannot list resource "pods" in API group "" in the namespace "default"',
  ],
  [
    'POST',
    pods,
    'pods is forbidden: User "USER" cannot create resource "pods" in API group "" in the namespace "default"',
  ],
  [
    'DELETE',
    pods,
    'pods is forbidden: User "USER" cannot deletecollection resource "pods" in API group "" in the namespace "default"',
  ],
  [
    'GET',
    '/apis/apps/v1/namespaces/x/deployments/d',
    'deployments.apps "d" is forbidden: User "USER" cannot get resource "deployments" in API group "apps" in the namespace "x"',
  ],
  [
    'GET',
    '/api/v1/namespaces/x',
    'namespaces "x" is forbidden: User "USER" cannot get resource "namespaces" in API group "" in the namespace "x"',
  ],
  [
    'PATCH',
    `${pods}/p/status`,
    'pods "p" is forbidden: User "USER" cannot patch resource "pods/status" in API group "" in the namespace "default"',
  ],
])('a refusal in a real server’s words: %s %s', async (method, path, message) => {
  await using server = await startFakeKubernetes()
  server.authorize.allowOnly([])
  const { status, body } = await call(server, method, path, method === 'GET' ? {} : { body: {} })
  expect(status).toBe(403)
  expect(body).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403 })
  expect(body.message).toBe(message.replace('USER', user))
})

test('rules are by verb, resource, group, namespace and name; a denial wins; reviews say the same', async () => {
  await using server = await startFakeKubernetes()
  server.authorize.allowOnly([
    { verb: ['get', 'list'], resource: ['pods', 'pods/exec'], apiGroup: '', namespace: 'default' },
    { verb: '*', resource: 'leases', apiGroup: 'coordination.k8s.io', name: 'mine' },
  ])
  server.authorize.deny({ verb: 'get', resource: 'pods', name: 'secret' })
  server.addPod({ name: 'p', containers: [{ name: 'c' }] })
  server.addPod({ name: 'secret', containers: [{ name: 'c' }] })
  const status = async (method: string, path: string): Promise<number> => (await call(server, method, path)).status
  expect(await status('GET', `${pods}/p`)).toBe(200)
  expect(await status('GET', `${pods}/secret`)).toBe(403)
  expect(await status('DELETE', `${pods}/p`)).toBe(403)
  expect(await status('GET', '/api/v1/namespaces/kube-system/pods')).toBe(403)
  expect(await status('GET', '/apis/coordination.k8s.io/v1/namespaces/x/leases/mine')).toBe(404)
  expect(await status('GET', '/apis/coordination.k8s.io/v1/namespaces/x/leases/yours')).toBe(403)
  expect(await mayI(server, { verb: 'get', resource: 'pods', namespace: 'default' })).toBe(true)
  expect(await mayI(server, { verb: 'get', resource: 'pods', subresource: 'exec', namespace: 'default' })).toBe(true)
  expect(await mayI(server, { verb: 'create', resource: 'pods', subresource: 'exec', namespace: 'default' })).toBe(
    false,
  )
  expect(await mayI(server, { verb: 'get', resource: 'pods', name: 'secret', namespace: 'default' })).toBe(false)
  expect(await mayI(server, { verb: 'list', resource: 'pods' })).toBe(false)
  const rules = await call(server, 'POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    body: { spec: { namespace: 'kube-system' } },
  })
  expect(rules.body.status).toEqual({
    resourceRules: [
      { verbs: ['*'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: ['mine'] },
    ],
    nonResourceRules: [],
    incomplete: true,
  })
  server.authorize.allowAll()
  expect(await status('GET', `${pods}/secret`)).toBe(200)
})

test('a Role is taken at its word', async () => {
  await using server = await startFakeKubernetes()
  const role = server.objects.put({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'r', namespace: 'default' },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  })
  server.authorize.allowOnly(accessRulesOf(role))
  expect(await mayI(server, { verb: 'get', resource: 'pods', namespace: 'default' })).toBe(true)
  expect(await mayI(server, { verb: 'get', resource: 'pods', namespace: 'other' })).toBe(false)
  expect(await mayI(server, { verb: 'list', resource: 'pods', namespace: 'default' })).toBe(false)
})

test('exec needs get; from 1.35 on create, too', async () => {
  for (const version of ['1.34.4', '1.35.0']) {
    await using server = await startFakeKubernetes({ version })
    server.addPod({ name: 'p', containers: [{ name: 'c' }] })
    server.authorize.allowOnly([{ verb: 'get', resource: 'pods/exec' }])
    const onlyGet = execClient(server, ['true'])
    await onlyGet.ended
    if (version === '1.34.4') expect(onlyGet.status()).toMatchObject({ status: 'Success' })
    else expect(onlyGet.seen.refused?.body).toContain('cannot create resource \\"pods/exec\\" in API group')
    server.authorize.allowOnly([{ verb: 'create', resource: 'pods/exec' }])
    const onlyCreate = execClient(server, ['true'])
    await onlyCreate.ended
    expect(onlyCreate.seen.refused?.status).toBe(403)
    expect(onlyCreate.seen.refused?.body).toContain('cannot get resource \\"pods/exec\\" in API group')
  }
})

test('a rotated token is refused, and the files of the service account have the new one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'fake-kubernetes-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  await using server = await startFakeKubernetes({ tls: true, namespace: 'shop' })
  const host = server.serviceAccount(directory)
  const read = (file: string): string => readFileSync(join(directory, file), 'utf8')
  const old = read('token')
  expect(`https://${host.KUBERNETES_SERVICE_HOST}:${host.KUBERNETES_SERVICE_PORT}`).toBe(server.url)
  expect(read('namespace')).toBe('shop')
  expect(await secureStatus(server, '/api/v1/pods', read('ca.crt'), old)).toBe(200)
  expect(await secureStatus(server, '/api/v1/pods', read('ca.crt'), '')).toBe(401)

  expect(server.rotateToken()).toBe(read('token'))
  expect(await secureStatus(server, '/api/v1/pods', read('ca.crt'), old)).toBe(401)
  expect(await secureStatus(server, '/api/v1/pods', read('ca.crt'), read('token'))).toBe(200)

  server.rotateToken({ rewrite: false })
  expect(await secureStatus(server, '/api/v1/pods', read('ca.crt'), read('token'))).toBe(401)
  await expect(secureStatus(server, '/api/v1/pods', selfSignedTls().cert, server.token)).rejects.toMatchObject({
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  })
})

test('over http a wrong token is refused; none at all is what kubectl sends there', async () => {
  await using server = await startFakeKubernetes()
  expect(await call(server, 'GET', pods, { token: 'wrong' })).toMatchObject({
    status: 401,
    body: { message: 'Unauthorized', reason: 'Unauthorized', code: 401 },
  })
  expect((await call(server, 'GET', pods, { token: '' })).status).toBe(200)
  expect((await call(server, 'GET', '/healthz', { token: 'wrong' })).body).toBe('ok')
})
