import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testClock } from '@holdfast/testing'
import { describe, expect, test } from 'vitest'
import { createApiClient } from '../../src/kubernetes/api-client.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import { createKubernetes } from '../../src/kubernetes/kubernetes.ts'
import { makeCertificate } from './certificate.ts'
import { configMap, failureOf, passTime, scratch, serve, setUp } from './support.ts'

describe('one client', () => {
  test('a hundred calls in a row share one connection, and many at once stay few', async () => {
    const { server, kubernetes } = await setUp()
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } })
    for (let count = 0; count < 100; count++) await kubernetes.get('configmaps', 'a')
    expect(server.connections).toBe(1)
    await Promise.all(Array.from({ length: 200 }, () => kubernetes.get('configmaps', 'a')))
    expect(server.connections).toBeLessThanOrEqual(16)
    expect(server.requests).toHaveLength(300)
  })

  test('10,000 objects are listed in pages, a few dozen requests in all', async () => {
    const { server, kubernetes } = await setUp()
    for (let n = 0; n < 10_000; n++) {
      server.objects.put({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: `c${n}`, namespace: `n${n % 7}` },
      })
    }
    const names = new Set<string>()
    for await (const { kind, apiVersion, metadata } of kubernetes.list('persistentvolumeclaims')) {
      expect({ kind, apiVersion }).toEqual({ kind: 'PersistentVolumeClaim', apiVersion: 'v1' })
      names.add(`${metadata.namespace}/${metadata.name}`)
    }
    expect(names.size).toBe(10_000)
    expect(server.requests.length).toBeLessThan(50)
  })

  test('fault F28: a list that expires between two pages is begun anew, and nothing comes twice', async () => {
    const { server, kubernetes } = await setUp()
    for (let n = 0; n < 1200; n++) {
      server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `m${n}`, namespace: 'shop' } })
    }
    const names: string[] = []
    for await (const { metadata } of kubernetes.list('configmaps', { namespace: 'shop' })) {
      if (names.push(metadata.name) === 500) server.expire()
    }
    expect(names).toHaveLength(1200)
    expect(new Set(names).size).toBe(1200)
  })
})

describe('fault F28: bad answers', () => {
  const read = '/api/v1/namespaces/shop/configmaps/a'

  test.each([429, 500, 502, 503, 504, 408])('%i: reading is tried again until it works', async (status) => {
    const { server, api, clock } = await setUp()
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } })
    const day = server.misbehave({ path: /configmaps/, times: 3 }, { status })
    const work = api.request<{ kind: string }>({ method: 'GET', path: read })
    await passTime(clock, work)
    expect((await work).kind).toBe('ConfigMap')
    expect(day.hits).toBe(3)
  })

  test.each(['reset', 'closes', 'truncated', 'not-json'] as const)('%s: reading is tried again', async (fault) => {
    const { server, api, clock } = await setUp()
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } })
    server.misbehave({ path: /configmaps/, times: 2 }, fault)
    const work = api.request<{ kind: string }>({ method: 'GET', path: read })
    await passTime(clock, work)
    expect((await work).kind).toBe('ConfigMap')
  })

  test.each(['reset', 'lost-answer', { status: 503 }, { status: 429 }] as const)(
    'a change is never made twice (%j)',
    async (fault) => {
      const { server, kubernetes, clock } = await setUp()
      const day = server.misbehave({ method: 'POST', times: 1 }, fault)
      const work = kubernetes.create('configmaps', configMap('a'))
      const failure = failureOf(work)
      await passTime(clock, work)
      expect(await failure).toMatchObject({ code: 'KUBERNETES_UNAVAILABLE', retryable: true })
      expect(day.hits).toBe(1)
      expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
    },
  )

  test('deleting what an earlier try has deleted is well', async () => {
    const { server, kubernetes, clock } = await setUp()
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } })
    server.misbehave({ method: 'DELETE', times: 1 }, 'lost-answer')
    const work = kubernetes.delete('configmaps', 'a')
    await passTime(clock, work)
    await expect(work).resolves.toBeUndefined()
    expect(server.objects.get('configmaps', 'shop', 'a')).toBeUndefined()
  })

  test('Retry-After is waited for', async () => {
    const { server, api, clock } = await setUp()
    server.misbehave({ path: /configmaps/, times: 1 }, { status: 429, retryAfter: 7 })
    const began = clock.monotonic()
    const work = api.request({ method: 'GET', path: '/api/v1/namespaces/shop/configmaps' })
    await passTime(clock, work)
    await work
    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(7000)
  })

  test('pauses grow, and are spread', async () => {
    const draws: number[] = []
    const { server, api, clock } = await setUp({ random: () => (draws.push(1), 0.5) })
    server.misbehave({ path: /configmaps/ }, { status: 500 })
    const work = api.request({ method: 'GET', path: read, timeoutMs: 20_000 })
    const failure = failureOf(work)
    await passTime(clock, work)
    expect((await failure).code).toBe('KUBERNETES_UNAVAILABLE')
    // 100, 200, 400, 800, 1600, 2500, 2500… ms: half of what is allowed.
    expect(draws.length).toBeGreaterThanOrEqual(9)
    expect(draws.length).toBeLessThanOrEqual(13)
  })

  test.each(['half-open', 'slow', 'stalls'] as const)('%s: the deadline ends the call', async (fault) => {
    const { server, api, clock } = await setUp()
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } })
    server.misbehave({ path: /configmaps/ }, fault)
    const work = api.request({ method: 'GET', path: read, timeoutMs: 3000 })
    const failure = failureOf(work)
    await passTime(clock, work)
    const { code, message } = await failure
    expect(code).toBe('KUBERNETES_TIMEOUT')
    expect(message).toContain('within 3.0 s')
  })

  test('a way to log in that never answers, such as a program of a kubeconfig, ends with the deadline and the signal', async () => {
    const { api, clock } = await setUp()
    const connection = { ...api.connection, credentials: () => new Promise<never>(() => {}) }
    const client = createApiClient({ connection, clock })
    const late = failureOf(client.request({ method: 'GET', path: read, timeoutMs: 1000 }))
    await passTime(clock, late)
    expect(await late).toMatchObject({ code: 'KUBERNETES_TIMEOUT', retryable: true })
    const stop = new AbortController()
    const stopped = client.request({ method: 'GET', path: read, signal: stop.signal })
    stop.abort(new Error('told to stop'))
    await expect(stopped).rejects.toThrow('told to stop')
  })

  test('the caller’s signal ends it at once, with its reason', async () => {
    const { server, api } = await setUp()
    server.misbehave({ path: /configmaps/ }, 'half-open')
    const stop = new AbortController()
    const work = api.request({ method: 'GET', path: read, signal: stop.signal })
    const reason = new Error('the hook is over')
    setImmediate(() => stop.abort(reason))
    await expect(work).rejects.toBe(reason)
  })

  test('403 names the verb and the rule that would grant it', async () => {
    const { server, kubernetes } = await setUp()
    server.authorize.deny({ verb: 'list', resource: 'persistentvolumeclaims' })
    const consume = async (): Promise<void> => {
      for await (const each of kubernetes.list('persistentvolumeclaims', { namespace: 'shop' }))
        expect.unreachable(each.kind)
    }
    const work = consume()
    const { code, message, hint } = await failureOf(work)
    expect(code).toBe('KUBERNETES_FORBIDDEN')
    expect(message).toBe('the API server does not allow to list persistentvolumeclaims in namespace "shop"')
    expect(hint).toContain('{ apiGroups: [""], resources: ["persistentvolumeclaims"], verbs: ["list"] }')
    expect(hint).toContain('holdfast generate rbac')
  })

  test('404 is no object; 409 and 410 and 422 say what the server said', async () => {
    const { server, kubernetes } = await setUp()
    expect(await kubernetes.get('configmaps', 'absent')).toBeUndefined()
    await kubernetes.create('configmaps', configMap('a'))
    expect((await failureOf(kubernetes.create('configmaps', configMap('a')))).code).toBe('KUBERNETES_CONFLICT')
    server.misbehave({ method: 'POST', times: 1 }, { status: 422, message: 'metadata.name: Invalid value: "A"' })
    const invalid = await failureOf(kubernetes.create('configmaps', configMap('b')))
    expect(invalid.code).toBe('KUBERNETES_INVALID')
    expect(invalid.message).toContain('metadata.name: Invalid value: "A"')
  })

  test('fault F29: the API server is down and comes back', async () => {
    const { server, kubernetes, clock } = await setUp()
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } })
    await kubernetes.get('configmaps', 'a')
    await server.down()
    const work = kubernetes.get('configmaps', 'a')
    await clock.advance('1s')
    await server.up()
    await passTime(clock, work)
    expect((await work)?.metadata.name).toBe('a')
  })
})

describe('fault F28: tokens and certificates rotate', () => {
  async function inPod() {
    const tls = makeCertificate()
    const server = await serve({ tls, namespace: 'shop' })
    const directory = scratch()
    const env = server.serviceAccount(directory)
    const clock = testClock()
    const connection = await connect({ env, clock, serviceAccountDirectory: directory })
    if (!connection) throw new Error('no service account')
    const api = createApiClient({ connection, clock, random: () => 1 })
    const kubernetes = createKubernetes({ api, clock, reporter: 'holdfast-0' })
    return { server, directory, clock, connection, kubernetes, api }
  }

  test('the service account’s token is read again when the server refuses the old one', async () => {
    const { server, kubernetes, connection } = await inPod()
    expect(connection.namespace).toBe('shop')
    await kubernetes.create('configmaps', configMap('a'))
    server.rotateToken()
    // A change, too: what was refused was not done.
    await kubernetes.create('configmaps', configMap('b'))
    expect(server.objects.list('configmaps')).toHaveLength(2)
    expect(server.connections).toBe(1)
  })

  test('a token that stays refused is said to be, once', async () => {
    const { server, kubernetes } = await inPod()
    server.rotateToken({ rewrite: false })
    const failure = await failureOf(kubernetes.create('configmaps', configMap('a')))
    expect(failure).toMatchObject({ code: 'KUBERNETES_UNAUTHORIZED', details: { status: 401 } })
    expect(failure.message).toContain('the service account')
    expect(server.requests).toHaveLength(2)
  })

  test('a new certificate authority counts from the next call on, with new connections', async () => {
    const { server, kubernetes, directory, clock } = await inPod()
    await kubernetes.create('configmaps', configMap('a'))
    const file = join(directory, 'ca.crt')
    writeFileSync(file, `${readFileSync(file, 'utf8')}${makeCertificate('the next one').cert}`)
    await clock.advance('11s')
    await kubernetes.create('configmaps', configMap('b'))
    expect(server.connections).toBe(2)
  })

  test('a server of another authority is refused', async () => {
    const { kubernetes, directory, clock } = await inPod()
    writeFileSync(join(directory, 'ca.crt'), makeCertificate('somebody else').cert)
    const work = kubernetes.get('configmaps', 'a')
    const failure = failureOf(work)
    await passTime(clock, work, '5s')
    expect((await failure).code).toBe('KUBERNETES_UNAVAILABLE')
    expect((await failure).message).toMatch(/self-signed|certificate/)
  })
})
