import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFakeKubernetes, type FakeKubernetes } from '../src/index.ts'
import { call, type Answer, type CallOptions } from './support/rest-client.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'

let server: FakeKubernetes
beforeEach(async () => {
  server = await startFakeKubernetes({ now: () => new Date('2026-03-01T10:00:00.123Z') })
})
afterEach(() => server[Symbol.asyncDispose]())

const send = (method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> =>
  call(server, method, path, { ...options, ...(body === undefined ? {} : { body }) })
const configMap = (name: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
})
const lease = (metadata: object, spec: object = {}): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'l', ...metadata },
  spec: { holderIdentity: 'a', leaseDurationSeconds: 15, ...spec },
})
const names = ({ body }: Answer): string[] =>
  body.items.map((item: { metadata: { name: string } }) => item.metadata.name)

describe('one object', () => {
  test('gets uid, version and time of creation; what a client says of them is ignored', async () => {
    const { status, body } = await send('POST', configMaps, {
      metadata: { name: 'x', uid: 'mine', creationTimestamp: '1999-01-01T00:00:00Z' },
      data: { a: 'b' },
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', namespace: 'default', creationTimestamp: '2026-03-01T10:00:00Z' },
      data: { a: 'b' },
    })
    expect(body.metadata.uid).toMatch(/^[-0-9a-f]{36}$/)
    expect(body).toEqual((await send('GET', `${configMaps}/x`)).body)
    expect(server.objects.get('cm', 'default', 'x')).toEqual(body)
  })

  test('a second of its name is refused, and a name is made from generateName', async () => {
    await send('POST', configMaps, configMap('x'))
    expect(await send('POST', configMaps, configMap('x'))).toMatchObject({
      status: 409,
      body: {
        kind: 'Status',
        reason: 'AlreadyExists',
        message: 'configmaps "x" already exists',
        details: { name: 'x', kind: 'configmaps' },
        code: 409,
      },
    })
    const { body } = await send('POST', configMaps, { metadata: { generateName: 'gen-' } })
    expect(body.metadata.name).toMatch(/^gen-[a-z0-9]{5}$/)
  })

  test('a new version with each change, none without one, and a stale one is refused', async () => {
    const { body: first } = await send('POST', configMaps, configMap('x', { data: { a: '1' } }))
    const { body: same } = await send('PUT', `${configMaps}/x`, first)
    expect(same.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
    const { body: second } = await send('PUT', `${configMaps}/x`, { ...first, data: { a: '2' } })
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion))
    expect(second.metadata.uid).toBe(first.metadata.uid)
    expect(await send('PUT', `${configMaps}/x`, { ...first, data: { a: '3' } })).toMatchObject({
      status: 409,
      body: {
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "x": the object has been modified; please apply your changes to the latest version and try again',
      },
    })
    expect((await send('PUT', `${configMaps}/x`, configMap('x'))).status, 'without a version').toBe(200)
  })

  test('a lease is only replaced by who says which version, and its times have six digits', async () => {
    const { body: made } = await send('POST', leases, lease({}))
    expect(await send('PUT', `${leases}/l`, lease({}))).toMatchObject({
      status: 422,
      body: {
        message:
          'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
      },
    })
    const { resourceVersion, uid } = made.metadata
    expect(
      await send('PUT', `${leases}/l`, lease({ resourceVersion }, { renewTime: '2026-01-01T00:00:00.123Z' })),
    ).toMatchObject({
      status: 400,
      body: {
        message:
          'Lease in version "v1" cannot be handled as a Lease: parsing time "2026-01-01T00:00:00.123Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse ".123Z" as ".000000"',
      },
    })
    const renewed = lease({ resourceVersion }, { renewTime: '2026-01-01T00:00:00.123456Z' })
    expect((await send('PUT', `${leases}/l`, renewed)).status).toBe(200)
    await send('DELETE', `${leases}/l`)
    expect(await send('PUT', `${leases}/l`, lease({ resourceVersion, uid }))).toMatchObject({ status: 409 })
    expect((await send('PUT', `${leases}/l`, lease({ resourceVersion }))).status, 'made anew').toBe(201)
  })

  test('patches of three kinds; the kind has to be said', async () => {
    await send('POST', configMaps, configMap('x', { data: { a: '1', b: '2' } }))
    const patch = (type: string, body: unknown): Promise<Answer> =>
      send('PATCH', `${configMaps}/x`, body, { contentType: `application/${type}` })
    expect((await patch('merge-patch+json', { data: { a: null, c: '3' } })).body.data).toEqual({ b: '2', c: '3' })
    expect((await patch('json-patch+json', [{ op: 'replace', path: '/data/b', value: '4' }])).body.data.b).toBe('4')
    expect((await patch('json-patch+json', [{ op: 'test', path: '/data/b', value: '5' }])).status).toBe(422)
    expect((await patch('json-patch+json', { data: {} })).body.message).toContain('error decoding patch')
    expect((await patch('json', { data: {} })).status).toBe(415)
    expect((await patch('merge-patch+json', { metadata: { resourceVersion: '1' } })).status).toBe(409)
    expect((await patch('apply-patch+yaml', {})).status, 'without a field manager').toBe(422)
  })

  test('strategic merge knows named items', async () => {
    server.addPod({ name: 'p', containers: [{ name: 'a' }, { name: 'b' }] })
    const { body } = await send(
      'PATCH',
      '/api/v1/namespaces/default/pods/p',
      { spec: { containers: [{ name: 'b', image: 'new' }, { name: 'c' }, { name: 'a', $patch: 'delete' }] } },
      { contentType: 'application/strategic-merge-patch+json' },
    )
    expect(body.spec.containers).toEqual([{ name: 'b', image: 'new' }, { name: 'c' }])
  })

  test('is deleted only if it is the one that is meant', async () => {
    const { body: made } = await send('POST', configMaps, configMap('x'))
    const { uid } = made.metadata
    expect(await send('DELETE', `${configMaps}/x`, { preconditions: { uid: 'other' } })).toMatchObject({
      status: 409,
      body: {
        message: `Operation cannot be fulfilled on ConfigMap "x": the UID in the precondition (other) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
      },
    })
    expect(await send('DELETE', `${configMaps}/x`, { preconditions: { uid } })).toMatchObject({
      status: 200,
      body: { kind: 'Status', status: 'Success', details: { name: 'x', kind: 'configmaps', uid } },
    })
    expect(await send('DELETE', `${configMaps}/x`)).toMatchObject({
      status: 404,
      body: { message: 'configmaps "x" not found' },
    })
  })

  test('with a finalizer it goes when that does', async () => {
    await send('POST', configMaps, { metadata: { name: 'x', finalizers: ['a/b'] } })
    expect((await send('DELETE', `${configMaps}/x`)).body.metadata.deletionTimestamp).toBe('2026-03-01T10:00:00Z')
    expect((await send('GET', `${configMaps}/x`)).status).toBe(200)
    const patch = { metadata: { finalizers: null } }
    await send('PATCH', `${configMaps}/x`, patch, { contentType: 'application/merge-patch+json' })
    expect((await send('GET', `${configMaps}/x`)).status).toBe(404)
  })

  test('a dry run answers and changes nothing', async () => {
    expect((await send('POST', `${configMaps}?dryRun=All`, configMap('x'))).status).toBe(201)
    expect((await send('GET', `${configMaps}/x`)).status).toBe(404)
  })

  const label = 'a'.repeat(64)
  test.each([
    ['a name with capitals', configMaps, configMap('Bad_Name'), 422, 'Invalid value: "Bad_Name"'],
    ['no name', configMaps, { metadata: {} }, 422, 'name or generateName is required'],
    ['a long label', configMaps, { metadata: { name: 'x', labels: { label } } }, 422, 'no more than 63 characters'],
    ['a key with a space', configMaps, configMap('x', { data: { 'a b': '' } }), 422, 'a valid config key must consist'],
    [
      'more than 1 MiB',
      configMaps,
      configMap('x', { data: { a: 'x'.repeat(1_048_577) } }),
      422,
      'may not be more than 1048576 bytes',
    ],
    ['more than 3 MiB', configMaps, configMap('x', { data: { a: 'x'.repeat(3_200_000) } }), 413, 'limit is 3145728'],
    ['another kind', configMaps, lease({}), 400, 'Lease in version "v1" cannot be handled as a ConfigMap'],
    ['another namespace', configMaps, { metadata: { name: 'x', namespace: 'y' } }, 400, 'does not match the namespace'],
    ['no JSON', configMaps, '{', 400, 'json parse error'],
    [
      'a version',
      configMaps,
      { metadata: { name: 'x', resourceVersion: '1' } },
      500,
      'resourceVersion should not be set',
    ],
    [
      'a namespace that is not there',
      configMaps.replace('default', 'no'),
      configMap('x'),
      404,
      'namespaces "no" not found',
    ],
    [
      'a kind that is not there',
      configMaps.replace('configmaps', 'foos'),
      {},
      404,
      'could not find the requested resource',
    ],
    [
      'an event about another namespace',
      '/api/v1/namespaces/default/events',
      { metadata: { name: 'e' }, involvedObject: { namespace: 'x' } },
      422,
      'does not match event.namespace',
    ],
  ])('is refused with %s', async (_what, path, body, status, message) => {
    const answer = await send('POST', path, body)
    expect(answer.status).toBe(status)
    expect(answer.body.message).toContain(message)
  })

  test('immutable ones stay as they are', async () => {
    await send('POST', configMaps, configMap('x', { immutable: true, data: { a: '1' } }))
    expect(await send('PUT', `${configMaps}/x`, configMap('x', { immutable: true, data: { a: '2' } }))).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('field is immutable when `immutable` is set') },
    })
  })

  test('events are the same objects in both groups', async () => {
    const involvedObject = { kind: 'Pod', name: 'p', namespace: 'default' }
    await send('POST', '/api/v1/namespaces/default/events', { metadata: { name: 'e' }, involvedObject })
    const { body } = await send('GET', '/apis/events.k8s.io/v1/namespaces/default/events/e')
    expect(body.apiVersion).toBe('events.k8s.io/v1')
  })

  test('kinds of others can be added', async () => {
    await using other = await startFakeKubernetes({
      kinds: [
        {
          group: 'snapshot.storage.k8s.io',
          version: 'v1',
          resource: 'volumesnapshots',
          kind: 'VolumeSnapshot',
          namespaced: true,
        },
      ],
    })
    const path = '/apis/snapshot.storage.k8s.io/v1/namespaces/default/volumesnapshots'
    expect((await call(other, 'POST', path, { body: { metadata: { name: 's' } } })).status).toBe(201)
    expect(other.objects.list('volumesnapshots.snapshot.storage.k8s.io')).toHaveLength(1)
  })
})

describe('lists', () => {
  beforeEach(() => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      server.objects.put({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, labels: { even: name === 'b' || name === 'd' ? 'yes' : 'no', [name]: '' } },
      })
    }
  })

  test('items do not say what they are, the list does', async () => {
    const { body } = await send('GET', configMaps)
    expect(body).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' })
    expect(Object.keys(body.items[0])).toEqual(['metadata'])
  })

  test('pages show what the first one saw', async () => {
    const first = await send('GET', `${configMaps}?limit=2`)
    expect(names(first)).toEqual(['a', 'b'])
    expect(first.body.metadata.remainingItemCount).toBe(3)
    server.objects.remove('configmaps', 'default', 'c')
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bb' } })
    const second = await send('GET', `${configMaps}?limit=2&continue=${first.body.metadata.continue}`)
    expect(names(second)).toEqual(['c', 'd'])
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion)
    const third = await send('GET', `${configMaps}?limit=2&continue=${second.body.metadata.continue}`)
    expect(names(third)).toEqual(['e'])
    expect(third.body.metadata.continue).toBeUndefined()
  })

  test('a page that came too late gets 410, with a token for the rest as it is now', async () => {
    const { body: first } = await send('GET', `${configMaps}?limit=2`)
    server.expire()
    server.objects.remove('configmaps', 'default', 'c')
    const late = await send('GET', `${configMaps}?limit=2&continue=${first.metadata.continue}`)
    expect(late).toMatchObject({ status: 410, body: { reason: 'Expired', code: 410 } })
    expect(names(await send('GET', `${configMaps}?continue=${late.body.metadata.continue}`))).toEqual(['d', 'e'])
    expect((await send('GET', `${configMaps}?continue=nonsense`)).status).toBe(400)
  })

  test.each([
    ['even=yes', ['b', 'd']],
    ['even!=yes', ['a', 'c', 'e']],
    ['even in (yes, maybe)', ['b', 'd']],
    ['even notin (yes)', ['a', 'c', 'e']],
    ['a', ['a']],
    ['!a,even=no', ['c', 'e']],
    ['missing!=x', ['a', 'b', 'c', 'd', 'e']],
  ])('labelSelector %s', async (selector, expected) => {
    expect(names(await send('GET', `${configMaps}?labelSelector=${encodeURIComponent(selector)}`))).toEqual(expected)
  })

  test('fields that can be selected by, and those that can not', async () => {
    server.addPod({ name: 'p', containers: [{ name: 'c' }] })
    server.addPod({ name: 'q', containers: [{ name: 'c', state: 'terminated' }] })
    const pods = '/api/v1/pods?fieldSelector='
    expect(names(await send('GET', `${pods}status.phase%3DRunning`))).toEqual(['p'])
    expect(names(await send('GET', `${pods}status.phase!%3DRunning,metadata.namespace%3Ddefault`))).toEqual(['q'])
    expect((await send('GET', `${pods}metadata.labels.a%3Db`)).body.message).toBe(
      'field label not supported: metadata.labels.a',
    )
    expect((await send('GET', `${configMaps}?fieldSelector=data.a%3Db`)).body.message).toBe(
      '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
    )
  })

  test('all that is selected can be deleted at once', async () => {
    await send('DELETE', `${configMaps}?labelSelector=even%3Dyes`)
    expect(names(await send('GET', configMaps))).toEqual(['a', 'c', 'e'])
  })
})

describe('a watch', () => {
  let stop: AbortController
  beforeEach(() => (stop = new AbortController()))
  afterEach(() => stop.abort())

  async function* events(
    query: string,
  ): AsyncGenerator<{ type: string; object: { metadata: { name: string }; code?: number } }> {
    const response = await fetch(`${server.url}${configMaps}?watch=1&${query}`, { signal: stop.signal })
    let text = ''
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk).toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line)
    }
  }

  test('says what is there and what happens; what a selector loses is deleted', async () => {
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels: { mine: 'yes' } } })
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' } })
    const watched = events('labelSelector=mine%3Dyes')
    const next = async (): Promise<string> => {
      const { value } = await watched.next()
      return `${value?.type} ${value?.object.metadata.name}`
    }
    expect(await next()).toBe('ADDED a')
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b', labels: { mine: 'yes' } } })
    expect(await next()).toBe('ADDED b')
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b', labels: { mine: 'no' } } })
    expect(await next()).toBe('DELETED b')
    server.objects.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', labels: { mine: 'yes' } },
      data: { x: '1' },
    })
    expect(await next()).toBe('MODIFIED a')
    server.objects.remove('configmaps', 'default', 'a')
    expect(await next()).toBe('DELETED a')
  })

  test('goes on from a version, and a forgotten one is an error', async () => {
    const { metadata } = server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } })
    server.objects.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } })
    const { value } = await events(`resourceVersion=${metadata.resourceVersion}`).next()
    expect(value).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'b' } } })
    server.expire()
    const { value: old } = await events(`resourceVersion=${metadata.resourceVersion}`).next()
    expect(old).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
  })
})
