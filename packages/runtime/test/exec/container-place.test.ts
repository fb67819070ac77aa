import { describe, expect, it } from 'vitest'
import type { ContainerRef } from '@holdfast/sdk'
import type { FakePod } from '@holdfast/testing'
import { db, setUp } from './container-support.ts'
import { failureOf } from './support.ts'

const command = ['true'] as const

describe('fault F30: a container that does not run', () => {
  const states: readonly (readonly [string, Partial<FakePod>, string])[] = [
    ['completed', { containers: [{ name: 'main', state: 'terminated' }] }, 'the pod shop/job has completed'],
    ['failed', { containers: [{ name: 'main', state: 'terminated', exitCode: 2 }] }, 'the pod shop/job has failed'],
    [
      'restarting',
      { containers: [{ name: 'main', state: 'restarting' }, { name: 'other' }] },
      'the container "main" of the pod shop/job is restarting (CrashLoopBackOff), for the 4. time',
    ],
    [
      'waiting',
      { containers: [{ name: 'main', state: 'waiting' }, { name: 'other' }] },
      'the container "main" of the pod shop/job is waiting (ContainerCreating)',
    ],
    [
      'ended, in a pod that goes on',
      { containers: [{ name: 'main', state: 'terminated', exitCode: 137 }, { name: 'other' }] },
      'the container "main" of the pod shop/job has ended (Error) with exit code 137',
    ],
    ['pending', { containers: [{ name: 'main', state: 'waiting' }], node: '' }, 'the pod shop/job is pending'],
  ]
  it.each(states)('%s is refused before anything is run', async (_name, pod, reason) => {
    const { exec, server } = await setUp()
    server.addPod({ name: 'job', containers: [], ...pod })
    const error = await failureOf(exec.container({ pod: 'job', container: 'main' }, { command }))
    expect(error).toMatchObject({
      code: 'EXEC_NOT_RUNNING',
      message: `true was not started: ${reason}`,
      retryable: true,
    })
    expect(server.execs).toEqual([])
  })

  it('terminating is refused', async () => {
    const { exec, server } = await setUp()
    const pod = server.objects.get('pods', 'shop', 'db-0')
    server.objects.put({
      ...pod,
      metadata: { ...pod?.metadata, name: 'going', deletionTimestamp: '2026-01-01T00:00:00Z' },
    } as never)
    const error = await failureOf(exec.container({ pod: 'going', container: 'postgres' }, { command }))
    expect(error).toMatchObject({ code: 'EXEC_NOT_RUNNING', message: expect.stringContaining('is terminating') })
  })

  it('is told by the kubelet where the pod was not read first', async () => {
    const { raw, server } = await setUp()
    server.addPod({ name: 'job', containers: [{ name: 'main', state: 'terminated' }] })
    const run = (where: ContainerRef): ReturnType<typeof failureOf> =>
      failureOf(raw.run(where, { command }, { lookFirst: false, wrapper: 'never' }))
    expect(await run({ pod: 'job', container: 'main' })).toMatchObject({
      code: 'EXEC_NOT_RUNNING',
      message: expect.stringContaining('container not found ("main")'),
    })
    expect((await run({ pod: 'db-0', container: 'redis' })).code).toBe('EXEC_NO_CONTAINER')
    expect((await run({ pod: 'gone', container: 'main' })).code).toBe('EXEC_NO_POD')
    expect(server.requests.filter(({ resource }) => resource === 'pods')).toEqual([])
  })
})

describe('the container that is meant', () => {
  it('is absent: the message says what there is', async () => {
    const { exec, server } = await setUp()
    server.addPod({ name: 'web', containers: [{ name: 'app' }, { name: 'proxy', sidecar: true }] })
    expect(await failureOf(exec.container({ pod: 'web', container: 'ap' }, { command }))).toMatchObject({
      code: 'EXEC_NO_CONTAINER',
      message: 'true was not started: there is no container "ap"; the pod shop/web has "app", "proxy"',
    })
    expect(await failureOf(exec.container({ pod: 'wep', container: 'app' }, { command }))).toMatchObject({
      code: 'EXEC_NO_POD',
      message: 'true was not started: there is no pod "wep" in the namespace "shop"',
    })
  })

  it('may be a sidecar among the init containers', async () => {
    const { exec, server } = await setUp()
    server.addPod({ name: 'web', containers: [{ name: 'app' }, { name: 'proxy', sidecar: true }] })
    expect((await exec.container({ pod: 'web', container: 'proxy' }, { command })).exitCode).toBe(0)
  })

  it('without a name is the only one, or the one that the pod says', async () => {
    const { exec, server } = await setUp()
    const containers = [{ name: 'app' }, { name: 'proxy' }]
    server.addPod({ name: 'two', containers })
    server.addPod({
      name: 'said',
      containers,
      annotations: { 'kubectl.kubernetes.io/default-container': 'proxy' },
    })
    await exec.container({ ...db, container: '' }, { command })
    await exec.container({ pod: 'said', container: '' }, { command })
    expect(server.execs.map(({ container }) => container)).toEqual(['postgres', 'proxy'])
    const error = await failureOf(exec.container({ pod: 'two', container: '' }, { command }))
    expect(error).toMatchObject({
      code: 'EXEC_NO_CONTAINER',
      message: expect.stringContaining('no container was named'),
    })
  })

  it('may be in another namespace', async () => {
    const { exec, server } = await setUp()
    server.addPod({ name: 'db-0', namespace: 'bank', containers: [{ name: 'postgres' }] })
    await exec.container({ ...db, namespace: 'bank' }, { command })
    expect(server.execs.map(({ namespace }) => namespace)).toEqual(['bank'])
  })
})

describe('a selector', () => {
  const where = { selector: 'app=db', container: 'postgres' }

  it('finds the one pod that runs, whatever else matches', async () => {
    const { exec, server } = await setUp()
    const labels = { app: 'db' }
    server.addPod({ name: 'old', labels, containers: [{ name: 'postgres', state: 'terminated' }] })
    server.addPod({ name: 'new', labels, containers: [{ name: 'postgres', state: 'waiting' }] })
    await exec.container(where, { command })
    expect(server.execs.map(({ pod }) => pod)).toEqual(['db-0'])
  })

  it('that matches several is not guessed at', async () => {
    const { exec, server } = await setUp()
    server.addPod({ name: 'db-1', labels: { app: 'db' }, containers: [{ name: 'postgres' }] })
    expect(await failureOf(exec.container(where, { command }))).toMatchObject({
      code: 'EXEC_MANY_PODS',
      message: 'true was not started: app=db matches more than one running pod: db-0, db-1',
    })
    expect(server.execs).toEqual([])
  })

  it('looks at all that match, however many they are', async () => {
    const { exec, server } = await setUp()
    server.objects.remove('pods', 'shop', 'db-0')
    const labels = { app: 'db' }
    for (let job = 0; job < 505; job++) {
      const name = `db-job-${String(job).padStart(3, '0')}`
      server.addPod({ name, labels, containers: [{ name: 'postgres', state: 'terminated' }] })
    }
    server.addPod({ name: 'db-new', labels, containers: [{ name: 'postgres' }] })
    await exec.container(where, { command })
    expect(server.execs.map(({ pod }) => pod)).toEqual(['db-new'])
    server.addPod({ name: 'db-a', labels, containers: [{ name: 'postgres' }] })
    expect((await failureOf(exec.container(where, { command }))).code).toBe('EXEC_MANY_PODS')
  })

  it('that matches none that runs says what it found', async () => {
    const { exec, server } = await setUp()
    expect(await failureOf(exec.container({ ...where, selector: 'app=web' }, { command }))).toMatchObject({
      code: 'EXEC_NO_POD',
      message: 'true was not started: no running pod matches app=web in the namespace "shop"; nothing matches',
    })
    server.addPod({ name: 'web-0', labels: { app: 'web' }, containers: [{ name: 'app', state: 'waiting' }] })
    expect((await failureOf(exec.container({ ...where, selector: 'app=web' }, { command }))).message).toContain(
      'what matches is not: web-0 is pending',
    )
    expect((await failureOf(exec.container({ ...where, selector: '' }, { command }))).code).toBe('EXEC_NO_POD')
  })
})

describe('fault F28: rights', () => {
  const cases = [
    ['get', 'pods', db, { verb: 'get', what: 'pods "db-0" in namespace "shop"' }],
    ['list', 'pods', { selector: 'app=db', container: '' }, { verb: 'list', what: 'pods in namespace "shop"' }],
    ['get', 'pods/exec', db, { verb: 'get', what: 'pods/exec "db-0" in namespace "shop"' }],
  ] as const
  it.each(cases)('without %s of %s the missing verb and its rule are named', async (verb, resource, where, details) => {
    const { exec, server } = await setUp()
    server.authorize.deny({ verb, resource })
    const error = await failureOf(exec.container(where, { command }))
    expect(error).toMatchObject({ code: 'EXEC_FORBIDDEN', details })
    expect(error.hint).toMatch(
      resource === 'pods/exec'
        ? '{ apiGroups: [""], resources: ["pods/exec"], verbs: ["create", "get"] }'
        : `{ apiGroups: [""], resources: ["pods"], verbs: ["${verb}"] }`,
    )
  })

  it('create is named by the servers that ask for it', async () => {
    const { exec, server } = await setUp({ server: { version: '1.35.0' } })
    server.authorize.deny({ verb: 'create', resource: 'pods/exec' })
    expect(await failureOf(exec.container(db, { command }))).toMatchObject({
      code: 'EXEC_FORBIDDEN',
      details: { verb: 'create' },
    })
  })

  // As parts of a path they would mean something else, such as all pods or another namespace.
  it.each(['', '.', '..', 'db-0/log', '%2e%2e'])('no pod or namespace is "%s"', async (name) => {
    const { raw, server } = await setUp()
    for (const lookFirst of [true, false]) {
      for (const where of [
        { ...db, pod: name },
        { ...db, namespace: name },
        { container: 'postgres', selector: 'app=db', namespace: name },
      ]) {
        if ('selector' in where && !lookFirst) continue
        const error = await failureOf(raw.run(where, { command }, { lookFirst }))
        expect(error.code, JSON.stringify({ ...where, lookFirst })).toBe('EXEC_NO_POD')
      }
    }
    expect(server.requests).toEqual([])
    expect(server.execs).toEqual([])
  })

  it('the pod need not be read where its name is known', async () => {
    const { raw, server } = await setUp()
    server.authorize.allowOnly([{ verb: ['get', 'create'], resource: 'pods/exec' }])
    expect((await raw.run(db, { command }, { lookFirst: false })).exitCode).toBe(0)
  })
})
