import type { Bytes, Logger, Meter, SecretRef, Secrets, Sink, StorageDriver } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { boundedReads } from './bounded-driver.ts'
import { getArtifact, listArtifacts, never, type Selection } from './catalogue.ts'
import { createArtifact, type CreateRequest } from './create.ts'
import { instanceOfKey, objectKey } from './keys.ts'
import { formatMark } from './marks.ts'
import { putText, typedDriver } from './objects.ts'
import { openArtifact } from './read.ts'
import { removeArtifact, sweepLeftovers, type SweepRequest } from './remove.ts'
import type { StoredArtifact } from './stored-artifact.ts'
import { confirmArtifact, verifyArtifact, type VerifiedArtifact } from './verify.ts'

export type { Selection } from './catalogue.ts'
export type { CreateRequest } from './create.ts'
export type { SweepRequest } from './remove.ts'
export type { StoredArtifact } from './stored-artifact.ts'
export type { VerifiedArtifact } from './verify.ts'

/** Options of {@link createArtifactStore}. */
export interface CreateArtifactStoreOptions {
  readonly driver: StorageDriver
  /** Whose artifacts these are; nothing of another instance is listed or touched. */
  readonly instance: string
  readonly clock: RuntimeClock
  readonly log: Pick<Logger, 'warn'>
  /** Opens identities. */
  readonly secrets?: Secrets | undefined
  /** age identities for reading encrypted artifacts of a plan back, asked for at each use; whichever fits is used. */
  readonly identities?: ((plan: string) => readonly SecretRef[]) | undefined
  readonly meter?: Meter | undefined
  /** Milliseconds in which nothing comes, no byte and no key, after which reading is given up. Default: it is waited for. */
  readonly idleMs?: number | undefined
}

/** For calls that may be given up. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined
}

/**
 * The artifacts of one instance in a store. An artifact exists exactly when its manifest does.
 *
 * An id is `<plan>/<target>/<time>-<run>/<name>` with each part percent-encoded; it needs no quotes on a command line.
 */
export interface ArtifactStore {
  readonly driver: StorageDriver
  readonly instance: string
  /**
   * Stores what a producer writes. It is an artifact once this resolves, and not before; when it rejects, nothing is left
   * but what could not be removed, which {@link ArtifactStore.sweep} removes later. Memory is bounded: writes wait.
   *
   * A size below half of the usual one makes the artifact `suspect`, never refuses it.
   *
   * @param produce - its success is what makes the bytes complete: wait for exit codes in it
   * @throws HoldfastError `ARTIFACT_TOO_SMALL`, `ARTIFACT_EXISTS`, `ARTIFACT_NAME_INVALID`, `ARTIFACT_PRODUCE_FAILED` (the
   * producer threw; its error is the cause), `ARTIFACT_ABORTED` or the signal's own HoldfastError, `ENCODING_INVALID`,
   * `STORAGE_…`, and whatever HoldfastError the producer threw
   */
  create(request: CreateRequest, produce: (sink: Sink) => unknown): Promise<StoredArtifact>
  /**
   * Newest first, by when their run began; those of one run by name. Manifests that can't be read are logged and left
   * out.
   *
   * @throws HoldfastError `STORAGE_…`
   */
  list(selection?: Selection): AsyncIterable<StoredArtifact>
  /** @throws HoldfastError `ARTIFACT_NOT_FOUND`, `MANIFEST_INVALID`, `MANIFEST_NEWER`, `STORAGE_…` */
  get(id: string, options?: Abortable): Promise<StoredArtifact>
  /**
   * Decoded bytes. They count only once the end was reached: size and digest are checked there.
   *
   * @throws HoldfastError (while reading) `ARTIFACT_NOT_FOUND`, `ARTIFACT_DIGEST`, `ARTIFACT_DATA_MISSING`,
   * `ARTIFACT_KEY_MISSING`, `ARTIFACT_DECRYPT`, `STORAGE_…`
   */
  open(id: string, options: { readonly signal: AbortSignal }): Bytes
  /**
   * Reads everything back from the store, compares it with the manifest, and writes the result down beside it. An
   * encrypted artifact is decoded too when there is an identity; `verification.checked` says how far it went.
   *
   * @param options - with `mark: false` only damage is written down: what is right is once it is confirmed
   * @throws HoldfastError as {@link ArtifactStore.open}; what is damaged has the state `invalid` from then on
   */
  verify(
    id: string,
    options: { readonly signal: AbortSignal; readonly mark?: boolean | undefined },
  ): Promise<VerifiedArtifact>
  /**
   * Writes down that an artifact was verified, and is all of what its run meant to store: `verification.complete`. For the
   * run itself, when nothing has spoken against what it backed up.
   *
   * @param artifact - as {@link ArtifactStore.verify} has given it
   * @throws HoldfastError `STORAGE_…`
   */
  confirm(
    artifact: Pick<VerifiedArtifact, 'id' | 'verification'>,
    options: { readonly signal: AbortSignal },
  ): Promise<void>
  /** Takes a suspect artifact as good; does nothing to any other. Throws as {@link ArtifactStore.get}. */
  accept(id: string, options?: Abortable): Promise<StoredArtifact>
  /**
   * Removes an artifact, or what is left of one.
   *
   * @throws HoldfastError `ARTIFACT_NOT_FOUND`, `STORAGE_…`
   */
  remove(id: string, options?: Abortable): Promise<void>
  /**
   * Removes what runs left that were interrupted: data without a manifest, and the driver's unfinished uploads.
   *
   * @returns the ids of what was removed
   * @throws HoldfastError `STORAGE_…`
   */
  sweep(request: SweepRequest): Promise<readonly string[]>
}

/**
 * Opens the artifacts of an instance in a store. Nothing is read or written before the first call.
 *
 * @example
 * ```ts
 * const store = createArtifactStore({ driver: fsStorage({ path: '/backup' }), instance: 'default', clock, log })
 * for await (const artifact of store.list({ plan: 'shop' })) console.log(artifact.id, artifact.size)
 * ```
 */
export function createArtifactStore(options: CreateArtifactStoreOptions): ArtifactStore {
  const { instance, clock, log, secrets, meter, identities = () => [], idleMs } = options
  const driver = typedDriver(idleMs === undefined ? options.driver : boundedReads(options.driver, { clock, idleMs }))
  const active = new Set<string>()
  const parts = { driver, instance, clock, log, secrets, identities, active }
  const stored = meter?.counter('holdfast_artifacts_total', 'Artifacts by how they were stored', ['plan', 'result'])
  return {
    driver: options.driver,
    instance,
    async create(request, produce) {
      let result = 'failed'
      try {
        const artifact = await createArtifact(parts, request, produce)
        result = artifact.state
        return artifact
      } finally {
        stored?.add(1, { plan: request.plan, result })
      }
    },
    list: (selection = {}) => listArtifacts(parts, selection),
    get: (id, { signal = never } = {}) => getArtifact(parts, id, signal),
    open: (id, { signal }) => openArtifact(parts, id, signal),
    verify: (id, how) => verifyArtifact(parts, id, how),
    confirm: (artifact, { signal }) => confirmArtifact(parts, artifact, signal),
    async accept(id, { signal = never } = {}) {
      const artifact = await getArtifact(parts, id, signal)
      if (artifact.state !== 'suspect') return artifact
      await putText(driver, objectKey(instance, id, 'accepted'), formatMark({ at: clock.now(), by: 'hand' }), signal)
      return getArtifact(parts, id, signal)
    },
    remove: (id, { signal = never } = {}) => removeArtifact(parts, id, signal),
    sweep: (request) => sweepLeftovers(parts, request, request.signal ?? never),
  }
}

/** The instances that have artifacts in a store: for a machine that knows only the store's address. */
export async function listInstances(
  driver: StorageDriver,
  { signal = never }: Abortable = {},
): Promise<readonly string[]> {
  const typed = typedDriver(driver)
  const found = new Set<string>()
  for await (const { key } of typed.list('', { signal })) {
    const instance = instanceOfKey(key)
    if (instance !== undefined) found.add(instance)
  }
  return [...found]
}
