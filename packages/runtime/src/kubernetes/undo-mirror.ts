// Armed undos as ConfigMaps (DESIGN §4b, docs/adr/0012-undo-mirror.md).
import { isHoldfastError } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { reasonOf } from '../failure.ts'
import type { Owners } from '../journal/owners.ts'
import { livenessElsewhere } from '../journal/process.ts'
import type { ProcessRecord } from '../journal/records.ts'
import type { MirrorStanding, UndoMirror } from '../journal/undo-mirror.ts'
import type { RuntimeLogger } from '../telemetry/log.ts'
import type { RuntimeKubernetes } from './kubernetes.ts'
import { enginePermissions, findMissingPermissions } from './permissions.ts'
import { listStoredUndos } from './stored-undos.ts'
import { claimConfigMap, labels, nameOf, readClaim, selectorFor, undoConfigMap, type ConfigMap } from './undo-record.ts'

/** Options of {@link createUndoMirror}. */
export interface CreateUndoMirrorOptions {
  readonly kubernetes: RuntimeKubernetes
  readonly clock: RuntimeClock
  readonly log: RuntimeLogger
  readonly owners: Owners
  instance(): string
  /** This process, as far as it is known. */
  self(): ProcessRecord
  /** Finds out which pod we are; never rejects. */
  identify(): Promise<void>
  /** Undos are kept here: we run in a pod. Else they are only looked at, and taken over. */
  readonly keeps: boolean
  /** Whether the state directory outlives the container: then an undo may be armed without the mirror. */
  readonly isStateDurable: boolean
  /** Whether a text holds a secret. */
  exposes(text: string): boolean
  /** Told once, when it is known whether undos are kept here. */
  onAccess(isGranted: boolean): void
}

/** How long calls may take. What keeps something frozen waits for the shortest of them only. */
const timeouts = { shortly: 1000, remove: 5000, write: 15_000, access: 10_000 }
/** After the API server could not be asked. */
const askAgainMs = 60_000
/** Whoever looked dead and isn't finds out by the claim that its undo was run by another. */
const keepClaimsMs = 3_600_000
const mostTries = 5

/** Keeps armed undos as ConfigMaps, where the API server allows it. */
export function createUndoMirror(options: CreateUndoMirrorOptions): UndoMirror {
  const { kubernetes, clock, log, owners, instance, self } = options
  const { api, namespace } = kubernetes
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`
  const pathOf = (name: string): string => `${collection}/${encodeURIComponent(name)}`
  const held = new Set<string>()
  let access: 'unknown' | 'granted' | 'refused' = 'unknown'
  let whyUnknown: string | undefined
  let askedAt = -Infinity
  let preparing: Promise<void> | undefined

  const get = async (name: string, timeoutMs: number): Promise<ConfigMap | undefined> => {
    const shortly = timeoutMs === timeouts.shortly
    try {
      return await api.request<ConfigMap>({
        method: 'GET',
        path: pathOf(name),
        timeoutMs,
        // Once: who waits for it holds something.
        ...(shortly && { idempotent: false }),
      })
    } catch (error) {
      if (codeOf(error) === 'KUBERNETES_NOT_FOUND') return undefined
      throw error
    }
  }

  const create = async (body: ConfigMap, timeoutMs: number): Promise<'created' | 'there'> => {
    try {
      await api.request({
        method: 'POST',
        path: collection,
        body: { apiVersion: 'v1', kind: 'ConfigMap', ...body },
        timeoutMs,
        idempotent: timeoutMs !== timeouts.shortly,
      })
      return 'created'
    } catch (error) {
      if (codeOf(error) === 'KUBERNETES_CONFLICT') return 'there'
      throw error
    }
  }

  /** Only that very object: meanwhile another one may have its name. */
  const remove = async (name: string, uid?: string): Promise<void> => {
    const body = uid === undefined ? undefined : { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } }
    try {
      await api.request({ method: 'DELETE', path: pathOf(name), body, timeoutMs: timeouts.remove })
    } catch (error) {
      const code = codeOf(error)
      if (code !== 'KUBERNETES_NOT_FOUND' && !(uid !== undefined && code === 'KUBERNETES_CONFLICT')) throw error
    }
  }

  const ask = async (): Promise<void> => {
    askedAt = clock.monotonic()
    const [permission] = enginePermissions({ replicas: 'each', undoMirror: true })
    const needed = permission ? [{ permission, owner: 'Holdfast itself' }] : []
    try {
      const [missing] = await findMissingPermissions(kubernetes, needed, { timeoutMs: timeouts.access })
      access = missing ? 'refused' : 'granted'
      if (missing && options.keeps) {
        const { message, hint, code } = missing.error
        const say = options.isStateDurable ? log.info.bind(log) : log.warn.bind(log)
        say(`armed undos are kept in the state directory only: ${message}`, { code, hint })
      }
      options.onAccess(access === 'granted')
    } catch (error) {
      if (whyUnknown === undefined) {
        log.warn(`whether armed undos can be kept in the cluster is not known yet: ${reasonOf(error)}`, { error })
      }
      whyUnknown = reasonOf(error)
    }
  }

  const prepare = async (): Promise<void> => {
    if (access === 'unknown' && clock.monotonic() - askedAt >= askAgainMs) {
      preparing ??= options
        .identify()
        .then(ask)
        .finally(() => (preparing = undefined))
    }
    await preparing
  }

  const isThere = async (id: string, timeoutMs: number): Promise<boolean> =>
    (await get(nameOf.undo(id), timeoutMs)) !== undefined

  /** Of a claim that somebody else holds, or held. */
  const standingBehind = async (id: string, timeoutMs: number): Promise<MirrorStanding> =>
    (await isThere(id, timeoutMs)) ? 'taken' : 'done'

  const claimNow = async (id: string, timeoutMs: number): Promise<MirrorStanding> => {
    for (let tries = 0; tries < mostTries; tries++) {
      if ((await create(claimConfigMap(id, instance(), self()), timeoutMs)) === 'created') return 'ours'
      const there = await get(nameOf.claim(id), timeoutMs)
      if (!there) continue
      const { holder } = readClaim(there)
      if (holder.id === self().id) return 'ours'
      if (!(await isThere(id, timeoutMs))) return 'done'
      await owners.refresh([holder])
      if (livenessElsewhere(holder, self(), owners) !== 'gone') return 'taken'
      await remove(nameOf.claim(id), (there.metadata as { uid?: string }).uid)
    }
    return 'taken'
  }

  return {
    prepare,
    async put(mirrored) {
      if (!options.keeps) return
      await prepare()
      if (access === 'refused') return
      if (access === 'unknown') {
        if (options.isStateDurable) return
        throw new Error(
          `the state directory dies with the container, and whether it can be kept in the cluster is not known: ${whyUnknown}`,
        )
      }
      const body = undoConfigMap({ ...mirrored, owner: self() })
      const text = body.data?.['undo.json'] ?? ''
      if (options.exposes(text)) {
        throw new Error(
          'it would put a secret into a ConfigMap; hand over a reference to the secret, and keep secrets out of variables',
        )
      }
      if ((await create(body, timeouts.write)) === 'created') return
      // The first of two tries may have succeeded.
      const there = await get(nameOf.undo(mirrored.undo.id), timeouts.write)
      if (there?.data?.['undo.json'] !== text) throw new Error(`another ${nameOf.undo(mirrored.undo.id)} is there`)
    },
    async remove(id) {
      if (access === 'granted') await remove(nameOf.undo(id))
    },
    async list() {
      if (access !== 'granted') return []
      return listStoredUndos({
        kubernetes,
        instance: instance(),
        onDamaged: (error) =>
          log.error(`an armed undo in the cluster can't be read, and is kept: ${reasonOf(error)}`, { error }),
      })
    },
    async standing(id) {
      if (access !== 'granted') return 'ours'
      try {
        const claim = await get(nameOf.claim(id), timeouts.shortly)
        if (!claim || readClaim(claim).holder.id === self().id) return 'ours'
        return await standingBehind(id, timeouts.shortly)
      } catch (error) {
        log.warn(
          `whether another pod has taken an undo over can't be asked: ${reasonOf(error)}; it runs all the same`,
          {
            undo: id,
            error,
          },
        )
        return 'ours'
      }
    },
    async claim(id, { from }) {
      if (held.has(id) || access === 'refused') return 'ours'
      let standing: MirrorStanding
      try {
        standing = await claimNow(id, from === 'journal' ? timeouts.shortly : timeouts.write)
      } catch (error) {
        if (from === 'mirror') throw error
        log.debug(`an undo could not be claimed in the cluster: ${reasonOf(error)}; it runs all the same`, {
          undo: id,
          error,
        })
        return 'ours'
      }
      if (standing !== 'ours') return standing
      held.add(id)
      if (from === 'journal' || (await isThere(id, timeouts.write))) return 'ours'
      // Its owner lived after all, and has settled it.
      held.delete(id)
      await remove(nameOf.claim(id))
      return 'done'
    },
    async release(id) {
      if (!held.delete(id)) return
      try {
        await remove(nameOf.claim(id))
      } catch (error) {
        log.warn(`a claim on an undo could not be given up: ${reasonOf(error)}`, { undo: id, error })
      }
    },
    async sweep() {
      if (access !== 'granted') return
      const before = clock.now().getTime() - keepClaimsMs
      const labelSelector = selectorFor(labels.claim, instance())
      for await (const object of kubernetes.list<ConfigMap>('configmaps', { namespace, labelSelector })) {
        const { name, creationTimestamp, uid } = object.metadata as ConfigMap['metadata'] & {
          creationTimestamp?: string
        }
        const id = name.slice(nameOf.claim('').length)
        if (new Date(creationTimestamp ?? 0).getTime() > before || (await isThere(id, timeouts.write))) continue
        held.delete(id)
        await remove(name, uid)
      }
    },
  }
}

function codeOf(error: unknown): string | undefined {
  return isHoldfastError(error) ? error.code : undefined
}
