import { randomUUID } from 'node:crypto'
import { definePlugin, type HoldfastError, type Json, type RestorePoint, type RunContext } from '@holdfast/sdk'
import { createTestRun, fakeExec, startFakeKubernetes, type FakeKubernetes, type TestRun } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import * as z from 'zod'
import { engineSchema } from '../../src/engine.ts'
import type { RestoreConfig } from '../../src/restore/context.ts'
import { restoreOptions } from '../../src/restore/options.ts'
import { restoreVolume } from '../../src/restore/restore.ts'
import { restoreUndos } from '../../src/restore/undos.ts'
import { cephCsi, volumeObject } from './claims.ts'
import { createFakeBenji, type FakeBenji } from './fake-benji.ts'
import { createFakeCeph, type FakeCeph } from './fake-ceph.ts'

/** Restores on the real runner, with a fake Benji, Ceph and cluster. */
export interface RestoreRun {
  readonly server: FakeKubernetes
  readonly ceph: FakeCeph
  readonly benji: FakeBenji
  readonly test: TestRun
  /** As `holdfast restore`: where it was restored to, or why not. */
  restore(uid: string, options: Readonly<Record<string, string>>, force?: boolean): Promise<Json>
  /** What it would do, looked at only. Rejects with what is in the way. */
  check(uid: string, options: Readonly<Record<string, string>>): Promise<Json>
  /** The same, with the run's outcome's first error. */
  failure(uid: string, options: Readonly<Record<string, string>>, force?: boolean): Promise<HoldfastError>
  points(filter?: { readonly target?: string }): Promise<readonly RestorePoint[]>
  /** Lets time pass, and the cluster work, until a promise settles. */
  drive<T>(promise: Promise<T>): Promise<T>
  /** Lines of the log at a level. */
  said(level: 'info' | 'warn'): readonly string[]
  /** Events about claims: `Normal SuccessfulRestore web/data: …`. */
  events(): readonly string[]
}

/** Options of {@link restoreRun}. */
export interface RestoreRunOptions {
  /** Without a cluster. */
  readonly alone?: boolean
  /** Beside the instance. */
  readonly engine?: RestoreConfig['engine']
  /** What binds claims, once per step of the clock. Default: {@link provision}; `undefined` binds none. */
  readonly provisioner?: ((run: Pick<RestoreRun, 'server' | 'ceph' | 'test'>) => void) | undefined
}

interface Request {
  readonly point: RestorePoint
  readonly options: Readonly<Record<string, string>>
  readonly force: boolean
}

/** Creates a {@link RestoreRun}. */
export async function restoreRun(options: RestoreRunOptions = {}): Promise<RestoreRun> {
  const server = await startFakeKubernetes({ namespace: 'backup' })
  onTestFinished(() => server[Symbol.asyncDispose]())
  for (const name of ['web', 'shop']) server.objects.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  const ceph = createFakeCeph()
  const benji = createFakeBenji({ ceph, ...(options.engine?.io !== undefined && { ios: [options.engine.io] }) })
  let body: (ctx: RunContext<RestoreConfig>) => Promise<void> = async () => {}
  const volumes = definePlugin({
    name: 'benji',
    version: '1.0.0',
    sdk: '^1.0',
    config: z.strictObject({ engine: engineSchema.optional() }),
    undos: restoreUndos,
    hooks: { maintain: (ctx) => body(ctx) },
  })
  const test = await createTestRun({
    use: [volumes({ engine: { ...options.engine, instance: 'benji-east' } })],
    exec: fakeExec({ benji: benji.command, rbd: ceph.command }),
    ...(options.alone !== true && { cluster: server }),
  })
  onTestFinished(() => test.close())
  const provisioner = 'provisioner' in options ? options.provisioner : provision

  const drive: RestoreRun['drive'] = async (promise) => {
    let settled = false
    const end = promise.finally(() => (settled = true))
    end.catch(() => {})
    while (!settled) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      provisioner?.({ server, ceph, test })
      if (!settled) await test.clock.advance('250ms')
    }
    return end
  }
  type Restoring = Parameters<typeof restoreVolume.run>[0]
  const run = async (
    request: Request,
    call = async (restoring: Restoring): Promise<Json> => (await restoreVolume.run(restoring)).where,
  ): Promise<Json | HoldfastError> => {
    let where: Json
    body = async (ctx) => {
      const { engine } = ctx.config
      const values = { engine, ...request, options: restoreOptions.parse(request.options) }
      const members = Object.entries(values).map(([key, value]) => [key, { value, enumerable: true }] as const)
      where = await call(Object.create(ctx, Object.fromEntries(members)) as Restoring)
    }
    const { outcome } = await drive(test.run())
    return (outcome.error as HoldfastError | undefined) ?? where
  }
  const requestOf = (uid: string, given: Readonly<Record<string, string>>, force = false): Request => ({
    point: { id: uid, target: '', createdAt: new Date(0), state: 'valid', ref: { uid } },
    options: given,
    force,
  })

  return {
    server,
    ceph,
    benji,
    test,
    drive,
    async restore(uid, given, force) {
      const result = await run(requestOf(uid, given, force))
      if (result instanceof Error) throw result
      return result
    },
    async check(uid, given) {
      const result = await run(requestOf(uid, given), async (ctx) => {
        const steps = await restoreVolume.check?.(ctx)
        return steps?.map(({ what }) => what)
      })
      if (result instanceof Error) throw result
      return result
    },
    async failure(uid, given, force) {
      const result = await run(requestOf(uid, given, force))
      if (!(result instanceof Error)) throw new Error(`it was restored: ${JSON.stringify(result)}`)
      return result
    },
    async points(filter = {}) {
      const found: RestorePoint[] = []
      body = async (ctx) => {
        for await (const point of restoreVolume.points?.(ctx, filter) ?? []) found.push(point)
      }
      const { outcome } = await drive(test.run())
      if (outcome.error) throw Object.assign(new Error(outcome.error.message), outcome.error)
      return found
    },
    said: (level) =>
      test.log
        .map((line) => JSON.parse(line) as { level: string; msg: string })
        .flatMap((line) => (line.level === level ? [line.msg] : [])),
    events: () =>
      server.objects.list('events').map((event) => {
        const { type, reason, message, involvedObject } = event as unknown as Record<string, string> & {
          readonly involvedObject: { readonly namespace: string; readonly name: string }
        }
        return `${type} ${reason} ${involvedObject.namespace}/${involvedObject.name}: ${message}`
      }),
  }
}

/** Binds claims to images of ceph-csi, as its provisioner does: a size that is no multiple of 1 GiB is rounded up. */
export function provision({ server, ceph }: Pick<RestoreRun, 'server' | 'ceph'>): void {
  for (const claim of server.objects.list('pvc')) {
    const { name, namespace = '', uid } = claim.metadata
    const spec = claim['spec'] as Record<string, unknown> & { readonly resources: { requests: { storage: string } } }
    const status = claim['status'] as { readonly phase?: string } | undefined
    if (status?.phase !== undefined && status.phase !== 'Pending') continue
    const storageClass = server.objects.get('sc', '', String(spec['storageClassName']))
    if (storageClass?.['volumeBindingMode'] === 'WaitForFirstConsumer') continue
    const size = Math.ceil(Number.parseInt(spec.resources.requests.storage, 10) / 1024) * 2 ** 30
    const image = `csi-vol-${randomUUID()}`
    ceph.create(`rbd/${image}`, { size, contents: {} })
    server.objects.put({
      ...volumeObject(`pvc-${uid}`, {
        ...cephCsi(image),
        capacity: { storage: `${size / 2 ** 30}Gi` },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      }),
      metadata: { name: `pvc-${uid}`, annotations: { 'pv.kubernetes.io/provisioned-by': 'rbd.csi.ceph.com' } },
    })
    server.objects.put({
      ...claim,
      spec: { ...spec, volumeName: `pvc-${uid}` },
      status: { phase: 'Bound', capacity: { storage: `${size / 2 ** 30}Gi` } },
    })
  }
}

/** Adds a storage class. */
export function addStorageClass(
  server: FakeKubernetes,
  name: string,
  more: { readonly provisioner?: string; readonly waits?: boolean; readonly isDefault?: boolean } = {},
): void {
  server.objects.put({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name,
      ...(more.isDefault && { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }),
    },
    provisioner: more.provisioner ?? 'rbd.csi.ceph.com',
    volumeBindingMode: more.waits ? 'WaitForFirstConsumer' : 'Immediate',
  })
}
