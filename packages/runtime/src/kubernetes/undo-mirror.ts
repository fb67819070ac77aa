// Armed undos as ConfigMaps (DESIGN §4b, docs/adr/0012-undo-mirror.md).
import type { RuntimeClock } from '../clock.ts'
import { reasonOf } from '../failure.ts'
import type { Owners } from '../journal/owners.ts'
import { livenessElsewhere } from '../journal/process.ts'
import type { ProcessRecord } from '../journal/records.ts'
import type { MirroredUndo, MirrorStanding, UndoMirror } from '../journal/undo-mirror.ts'
import type { RuntimeLogger } from '../telemetry/log.ts'
import { configMaps, type Patience } from './config-maps.ts'
import type { RuntimeKubernetes } from './kubernetes.ts'
import { enginePermissions, findMissingPermissions, isUnreachable } from './permissions.ts'
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
  /** Whether a process that used our state directory has ended: of it no pod has to be asked. */
  hasEnded(process: string): boolean
  /** Finds out which pod we are, and says whether all is known that can be; never rejects. */
  identify(): Promise<boolean>
  /** Undos are kept here: we run in a pod. Else they are only looked at, and taken over. */
  readonly keeps: boolean
  /** Whether the state directory outlives the container: then an undo may be armed without the mirror. */
  readonly isStateDurable: boolean
  /** Whether a text holds a secret. */
  exposes(text: string): boolean
  /** Told once, when it is known whether undos are kept here. */
  onAccess(isGranted: boolean): void
}

/** What keeps something frozen is waited for shortly, and once. */
const patience = {
  shortly: { timeoutMs: 1000, once: true },
  removeSoon: { timeoutMs: 2000 },
  remove: { timeoutMs: 5000 },
  write: { timeoutMs: 15_000 },
  access: { timeoutMs: 10_000 },
} as const satisfies Record<string, Patience>
/** After the API server could not be asked. */
const askAgainMs = 60_000
/** Whoever looked dead and isn't finds out by the claim that its undo was run by another. */
const keepClaimsMs = 3_600_000
const mostTries = 5
/** After a call without an answer, whatever keeps something frozen doesn't ask: a second is waited for all of it. */
const silenceMs = 10_000

/** Keeps armed undos as ConfigMaps, where the API server allows it. */
export function createUndoMirror(options: CreateUndoMirrorOptions): UndoMirror {
  const { kubernetes, clock, log, owners, instance, self } = options
  const { namespace } = kubernetes
  const { get, create, remove } = configMaps(kubernetes)
  const held = new Set<string>()
  let access: 'unknown' | 'granted' | 'refused' = 'unknown'
  let whyUnknown: string | undefined
  let isIdentified = false
  let askedAt = -Infinity
  let preparing: Promise<void> | undefined
  let silentUntil = -Infinity
  /** Undos that have been run, and whose ConfigMaps are still there. */
  const left = new Set<string>()
  /** ConfigMaps that can't be read, and of which that has been said. */
  const damaged = new Set<string>()

  const isSilent = (): boolean => {
    const now = clock.monotonic()
    return now < silentUntil || (preparing !== undefined && now - askedAt >= patience.shortly.timeoutMs)
  }
  const heard = (error: unknown): void => {
    if (isUnreachable(error)) silentUntil = clock.monotonic() + silenceMs
  }

  const ask = async (): Promise<void> => {
    const [permission] = enginePermissions({ replicas: 'each', undoMirror: true })
    const needed = permission ? [{ permission, owner: 'Holdfast itself' }] : []
    try {
      const [missing] = await findMissingPermissions(kubernetes, needed, patience.access)
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

  const find = async (): Promise<void> => {
    askedAt = clock.monotonic()
    // Without a name nobody could tell that we are gone, so it is asked for again even if everything else is known.
    isIdentified = await options.identify()
    if (access === 'unknown') await ask()
  }

  const prepare = async ({ insists = false } = {}): Promise<void> => {
    const isOpen = access === 'unknown' || !isIdentified
    if (isOpen && (insists || clock.monotonic() - askedAt >= askAgainMs)) {
      preparing ??= find().finally(() => (preparing = undefined))
    }
    await preparing
  }

  const isThere = async (id: string, how: Patience): Promise<boolean> => (await get(nameOf.undo(id), how)) !== undefined

  /** Of a claim that somebody else holds, or held. */
  const standingBehind = async (id: string, how: Patience): Promise<MirrorStanding> =>
    (await isThere(id, how)) ? 'taken' : 'done'

  const claimNow = async (id: string, how: Patience): Promise<MirrorStanding> => {
    for (let tries = 0; tries < mostTries; tries++) {
      if ((await create(claimConfigMap(id, instance(), self()), how)) === 'created') return 'ours'
      const there = await get(nameOf.claim(id), how)
      if (!there) continue
      const { holder } = readClaim(there)
      if (holder.id === self().id) return 'ours'
      if (!(await isThere(id, how))) return 'done'
      await owners.refresh([holder])
      if (!options.hasEnded(holder.id) && livenessElsewhere(holder, self(), owners) !== 'gone') return 'taken'
      await remove(nameOf.claim(id), patience.remove, (there.metadata as { uid?: string }).uid)
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
      if ([text, ...textsIn(mirrored)].some((each) => options.exposes(each))) {
        throw new Error(
          'it would put a secret into a ConfigMap; hand over a reference to the secret, and keep secrets out of variables',
        )
      }
      if ((await create(body, patience.write)) === 'created') return
      // The first of two tries may have succeeded.
      const there = await get(nameOf.undo(mirrored.undo.id), patience.write)
      if (there?.data?.['undo.json'] !== text) throw new Error(`another ${nameOf.undo(mirrored.undo.id)} is there`)
    },
    async remove(id, { isUrgent = false } = {}) {
      if (access !== 'granted') return
      try {
        if (isUrgent && isSilent()) throw new Error('the API server did not answer a moment ago')
        await remove(nameOf.undo(id), isUrgent ? patience.removeSoon : patience.remove)
        left.delete(id)
      } catch (error) {
        heard(error)
        if (isUrgent) left.add(id)
        throw error
      }
    },
    async removeLeft() {
      // What can't be removed now is cleared away by whoever looks around next.
      const ids = [...left]
      left.clear()
      await Promise.allSettled(ids.map((id) => remove(nameOf.undo(id), patience.remove)))
    },
    async list(onDamaged) {
      if (access === 'unknown') throw new Error(`whether we may is not known: ${whyUnknown ?? 'no answer yet'}`)
      if (access === 'refused') return []
      return listStoredUndos({
        kubernetes,
        instance: instance(),
        onDamaged(error, name) {
          onDamaged?.(name)
          const say = damaged.has(name) ? log.debug.bind(log) : log.error.bind(log)
          say(`an armed undo in the cluster can't be read, and is kept: ${reasonOf(error)}`, { error })
          damaged.add(name)
        },
      })
    },
    async standing(id) {
      if (access !== 'granted' || isSilent()) return 'ours'
      try {
        const claim = await get(nameOf.claim(id), patience.shortly)
        if (!claim || readClaim(claim).holder.id === self().id) return 'ours'
        return await standingBehind(id, patience.shortly)
      } catch (error) {
        heard(error)
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
      // What is only in our own journal is nobody else's: from outside of a cluster nothing is written into it.
      if (from === 'journal' && (!options.keeps || isSilent())) return 'ours'
      let standing: MirrorStanding
      try {
        standing = await claimNow(id, from === 'journal' ? patience.shortly : patience.write)
      } catch (error) {
        heard(error)
        if (from === 'mirror') throw error
        log.debug(`an undo could not be claimed in the cluster: ${reasonOf(error)}; it runs all the same`, {
          undo: id,
          error,
        })
        return 'ours'
      }
      if (standing !== 'ours') return standing
      held.add(id)
      if (from === 'journal' || (await isThere(id, patience.write))) return 'ours'
      // Its owner lived after all, and has settled it.
      held.delete(id)
      await remove(nameOf.claim(id), patience.remove)
      return 'done'
    },
    async release(id) {
      if (!held.delete(id)) return
      try {
        await remove(nameOf.claim(id), patience.remove)
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
        if (new Date(creationTimestamp ?? 0).getTime() > before || (await isThere(id, patience.write))) continue
        held.delete(id)
        await remove(name, patience.remove, uid)
      }
    },
  }
}

/** As they were before they became JSON in JSON, where a secret with quotes in it can't be recognised any more. */
function textsIn({ undo, vars }: MirroredUndo): readonly string[] {
  const values = Object.values(vars)
  return [
    undo.input,
    ...values.map((value) => (typeof value === 'string' ? value : Buffer.from(value.base64, 'base64').toString())),
  ]
}
