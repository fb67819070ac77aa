import { Agent, request } from 'node:http'
import { expect, test } from 'vitest'
import { startFakeKubernetes } from '../src/index.ts'
import { execClient } from './support/exec-client.ts'
import { call, secureStatus } from './support/rest-client.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const body = { metadata: { name: 'x' } }

test.each([
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [409, 'Conflict'],
  [410, 'Expired'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
])('%i instead of doing it, as often as was asked', async (status, reason) => {
  await using server = await startFakeKubernetes()
  const day = server.misbehave({ method: 'POST', path: /configmaps/, times: 1 }, { status })
  expect((await call(server, 'GET', configMaps)).status, 'not meant').toBe(200)
  expect(await call(server, 'POST', configMaps, { body })).toMatchObject({ status, body: { reason, code: status } })
  expect((await call(server, 'POST', configMaps, { body })).status, 'over').toBe(201)
  expect(day.hits).toBe(1)
})

test('429 says when to come back, to an exec as well', async () => {
  await using server = await startFakeKubernetes()
  server.addPod({ name: 'p', containers: [{ name: 'c' }] })
  server.misbehave({}, { status: 429, retryAfter: 7 })
  expect(await call(server, 'GET', configMaps)).toMatchObject({
    status: 429,
    retryAfter: '7',
    body: { reason: 'TooManyRequests', details: { retryAfterSeconds: 7 } },
  })
  const exec = execClient(server, ['true'])
  await exec.ended
  expect(exec.seen.refused).toMatchObject({ status: 429 })
})

test.each(['reset', 'closes'] as const)('%s: nothing is done, and no answer comes', async (how) => {
  await using server = await startFakeKubernetes()
  server.misbehave({}, how)
  await expect(call(server, 'POST', configMaps, { body })).rejects.toThrow('fetch failed')
  expect(server.objects.get('cm', 'default', 'x')).toBeUndefined()
})

test.each(['lost-answer', 'truncated'] as const)('%s: it is done, but no whole answer comes', async (how) => {
  await using server = await startFakeKubernetes()
  server.misbehave({}, how)
  await expect(call(server, 'POST', configMaps, { body })).rejects.toThrow(/fetch failed|terminated/)
  expect(server.objects.get('cm', 'default', 'x')).toBeDefined()
})

test.each(['half-open', 'stalls'] as const)('%s: the answer never comes, or never ends', async (how) => {
  await using server = await startFakeKubernetes()
  server.misbehave({}, how)
  const signal = AbortSignal.timeout(100)
  await expect(call(server, 'POST', configMaps, { body, signal })).rejects.toThrow('timeout')
  expect(server.objects.get('cm', 'default', 'x') !== undefined).toBe(how === 'stalls')
})

test('slow: answered when the bad day ends', async () => {
  await using server = await startFakeKubernetes()
  const day = server.misbehave({}, 'slow')
  const answer = call(server, 'POST', configMaps, { body })
  await expect.poll(() => server.objects.get('cm', 'default', 'x')).toBeDefined()
  expect(server.requests[0]?.status).toBeUndefined()
  day.end()
  expect((await answer).status).toBe(201)
})

test('not-json: a page of a proxy in between', async () => {
  await using server = await startFakeKubernetes()
  server.misbehave({}, 'not-json')
  expect(await call(server, 'GET', configMaps)).toMatchObject({
    status: 200,
    body: expect.stringContaining('<!DOCTYPE'),
  })
})

test('over TLS, too, the connection can be reset', async () => {
  await using server = await startFakeKubernetes({ tls: true })
  server.misbehave({ times: 1 }, 'reset')
  const ca = Buffer.from(/data: (.*)/.exec(server.kubeconfig())?.[1] ?? '', 'base64').toString()
  await expect(secureStatus(server, configMaps, ca, server.token)).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(await secureStatus(server, configMaps, ca, server.token)).toBe(200)
  server.addPod({ name: 'p', containers: [{ name: 'c' }] })
  server.misbehaveExec({}, 'reset')
  const exec = execClient(server, ['echo', 'hi'])
  await exec.ended
  expect(exec.seen).toMatchObject({ closed: { code: 1006 }, tcp: 'ECONNRESET' })
})

test('down: refused; up: there again, on the same port, with all that was in it', async () => {
  await using server = await startFakeKubernetes()
  server.addPod({ name: 'p', containers: [{ name: 'c' }] })
  const exec = execClient(server, ['sleep', '60'])
  await exec.opened
  await expect.poll(() => server.execs[0]?.running).toBe(true)
  await server.down()
  await exec.ended
  await expect(call(server, 'GET', configMaps)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  expect(server.execs[0]).toMatchObject({ connection: 'closed', running: true })
  await server.up()
  expect((await call(server, 'GET', '/api/v1/namespaces/default/pods/p')).status).toBe(200)
})

test('requests are noted, with the connection that they came over', async () => {
  await using server = await startFakeKubernetes()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const get = (path: string, through: Agent | false): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = { agent: through, headers: { 'user-agent': 'holdfast/1' } }
      request(server.url + path, options, (response) => response.resume().once('end', resolve))
        .once('error', reject)
        .end()
    })
  await get(`${configMaps}?limit=5`, agent)
  await get(`${configMaps}/x`, agent)
  await get('/apis/apps/v1/deployments', false)
  agent.destroy()
  const common = { method: 'GET', userAgent: 'holdfast/1' }
  expect(server.requests).toMatchObject([
    {
      ...common,
      verb: 'list',
      resource: 'configmaps',
      namespace: 'default',
      query: { limit: ['5'] },
      connection: 1,
      status: 200,
    },
    { ...common, verb: 'get', resource: 'configmaps', name: 'x', connection: 1, status: 404 },
    { ...common, verb: 'list', resource: 'deployments', apiGroup: 'apps', namespace: '', connection: 2, status: 200 },
  ])
  expect(server.connections).toBe(2)
  await call(server, 'POST', configMaps, { body })
  expect(server.requests.at(-1)).toMatchObject({ method: 'POST', verb: 'create', body, path: configMaps })
})
