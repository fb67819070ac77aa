// Who of several pods leads, after the algorithm of Kubernetes' own client (docs/adr/0013-leader.md). Clocks of different
// machines are never compared: whether a lease has run out is measured by how long it has stood still before our eyes.
// Longer than other files, because whether two can lead at once is only seen when all of it is seen.
import { isHoldfastError, type Logger, type Meter } from '@holdfast/sdk'
import type { RuntimeClock } from '../clock.ts'
import { reasonOf } from '../failure.ts'
import { untilAborted } from '../until-aborted.ts'
import { microTime, type Lease, type LeaseClient, type LeaseSpec } from './lease.ts'
import { isUnreachable } from './permissions.ts'

/** What the leader before left in the Lease. */
export interface FormerLeader {
  /** Empty when it resigned. */
  readonly identity: string
  readonly renewedAt: Date | undefined
  /** What it last said of its work. */
  readonly handover: string | undefined
}

/** The time in which one process leads. */
export interface Term {
  /** Aborts as soon as it isn't certain any more that we lead: before anybody else can. */
  readonly lost: AbortSignal
  /** `undefined` when nobody ever led. */
  readonly former: FormerLeader | undefined
  /** Whether it is certain, at this very moment, that nobody else leads. */
  isLeading(): boolean
}

/** Takes part in elections. */
export interface LeaderElection {
  isLeader(): boolean
  /** Who leads, as far as it is known. */
  holder(): string | undefined
  /**
   * Waits until we lead.
   *
   * @throws the signal's reason
   */
  campaign(signal: AbortSignal): Promise<Term>
  /** Leads no more, and says so, that the next one need not wait. Never rejects. */
  resign(): Promise<void>
}

/** Options of {@link createLeaderElection}. */
export interface CreateLeaderElectionOptions {
  readonly lease: LeaseClient
  /** Ours; another process has another one, also in the same pod. */
  readonly identity: string
  readonly clock: RuntimeClock
  readonly log: Logger
  readonly meter: Meter
  /** Whether a holder has certainly ended, so that its lease need not run out. Default: nobody knows. */
  isGone?: ((identity: string) => boolean) | undefined
  /** What is written when we take over: what the next one must know should we vanish before we have settled it. */
  inherit(former: FormerLeader | undefined): string
  /** What is written with each renewal; `undefined`: what was inherited is not settled yet. */
  handover(): string | undefined
  /** Told when the lease can't be had because of an error, and when that is over. */
  onTrouble?: ((error: unknown) => void) | undefined
  /** After so long without a renewal others may lead. Default 15 s. */
  readonly leaseMs?: number | undefined
  /** After so long without a renewal we lead no more; shorter than `leaseMs`. Default 10 s. */
  readonly renewMs?: number | undefined
  /** Between attempts. Default 2 s. */
  readonly retryMs?: number | undefined
  /** A number from 0 to 1; for tests. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

const handoverAnnotation = 'holdfast.dev/handover'
const partingMs = 2000
/** Of the pause between attempts: those who wait must not all come at once. */
const jitter = 0.2

/** Takes part in the election of one Lease; leads nothing yet. */
export function createLeaderElection(options: CreateLeaderElectionOptions): LeaderElection {
  const { lease: client, identity, clock, log, meter, leaseMs = 15_000, renewMs = 10_000, retryMs = 2000 } = options
  const { random = Math.random } = options
  const gauge = meter.gauge('holdfast_leader', 'Whether this process leads; 0: it stands by')
  /** What was last seen, and since when it has stood still. */
  let seen: { readonly lease: Lease; readonly mark: string; readonly at: number } | undefined
  let term: (Term & { readonly end: (reason: Error) => void }) | undefined
  /** When the renewal that counts was sent. */
  let renewed = { monotonic: -Infinity, wall: 0 }
  let cancelDeadline: (() => void) | undefined
  /** A Lease that we had to make: whoever led by one that was removed may not have noticed until then. */
  let probation: number | undefined
  /** A change of the lease that is under way. */
  let renewing: Promise<void> = Promise.resolve()
  let succeededAt = -Infinity
  let trouble: string | undefined
  gauge.set(0)

  /** By both clocks: the monotonic one may stand still while the machine is suspended. */
  const isCertain = (): boolean =>
    clock.monotonic() < renewed.monotonic + renewMs && clock.now().getTime() < renewed.wall + leaseMs

  const isLeader = (): boolean => {
    if (term && !isCertain()) term.end(new Error('the lease was not renewed in time'))
    return term !== undefined
  }

  const observe = (lease: Lease): void => {
    const { holderIdentity, renewTime, leaseTransitions } = lease.spec ?? {}
    const mark = JSON.stringify([holderIdentity, renewTime, leaseTransitions])
    // Not earlier than it was so: then nobody is taken for dead too early.
    seen = { lease, mark, at: seen?.mark === mark ? seen.at : clock.monotonic() }
  }

  const isFree = (): boolean => {
    const { holderIdentity = '', leaseDurationSeconds = 0 } = seen?.lease.spec ?? {}
    if (!seen || holderIdentity === '' || holderIdentity === identity || options.isGone?.(holderIdentity)) return true
    return clock.monotonic() - seen.at >= Math.max(leaseMs, leaseDurationSeconds * 1000)
  }

  const specOf = (before: LeaseSpec | undefined): LeaseSpec => {
    const now = microTime(clock.now())
    const same = before?.holderIdentity === identity
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: same ? (before.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (same ? 0 : 1),
    }
  }

  /** Everything else in it is somebody else's, such as a chart's, and stays. */
  const written = (lease: Lease, spec: LeaseSpec, handover: string | undefined): Lease => ({
    ...lease,
    metadata: {
      ...lease.metadata,
      annotations: { ...lease.metadata.annotations, ...(handover !== undefined && { [handoverAnnotation]: handover }) },
    },
    spec: { ...lease.spec, ...spec },
  })

  /** What was sent then is the lease now. */
  const holds = (lease: Lease, sent: { readonly monotonic: number; readonly wall: number }): void => {
    observe(lease)
    renewed = sent
    cancelDeadline?.()
    cancelDeadline = clock.setTimer(Math.max(0, sent.monotonic + renewMs - clock.monotonic()), () => void isLeader())
  }

  const now = (): typeof renewed => ({ monotonic: clock.monotonic(), wall: clock.now().getTime() })

  /** Makes a Lease where there is none. It leads nobody yet. */
  const make = async (timeoutMs: number): Promise<void> => {
    seen = undefined
    // Without an answer it may be there all the same, and nobody knows since when.
    probation = Infinity
    const annotations = { [handoverAnnotation]: options.inherit(undefined) }
    observe(await client.create({ spec: specOf(undefined), annotations }, timeoutMs))
    probation = clock.monotonic() + leaseMs
  }

  /** Tries to take it. @returns what the one before left, when it is ours */
  const take = async (): Promise<{ readonly former: FormerLeader | undefined } | undefined> => {
    const timeoutMs = renewMs / 2
    const found = await client.read(timeoutMs)
    if (!found) {
      await make(timeoutMs)
      return undefined
    }
    observe(found)
    if (found.spec?.holderIdentity !== identity) probation = undefined
    else if (probation === Infinity) probation = clock.monotonic() + leaseMs
    if (!isFree()) return undefined
    const former = formerIn(found)
    const sent = now()
    holds(await client.replace(written(found, specOf(found.spec), options.inherit(former)), timeoutMs), sent)
    if (!isCertain() || (probation !== undefined && clock.monotonic() < probation)) return undefined
    probation = undefined
    return { former }
  }

  const renew = async (): Promise<void> => {
    for (let fresh = seen?.lease; fresh && term;) {
      const sent = now()
      try {
        holds(await client.replace(written(fresh, specOf(fresh.spec), options.handover()), renewMs / 2), sent)
        return
      } catch (error) {
        if (!isConflict(error) && !isMissing(error)) throw error
        // Somebody changed it: another leader, or only its labels.
        const found = await client.read(renewMs / 2)
        if (found?.spec?.holderIdentity !== identity) {
          if (found) observe(found)
          throw new LostError(found?.spec?.holderIdentity)
        }
        fresh = found
      }
    }
  }

  const keep = async ({ lost, end }: NonNullable<typeof term>): Promise<void> => {
    while (!lost.aborted) {
      await clock.sleep(retryMs, lost).catch(() => {})
      if (lost.aborted) return
      try {
        await renew()
        worked()
      } catch (error) {
        failed(error)
        if (error instanceof LostError) end(error)
      }
    }
  }

  const begin = (former: FormerLeader | undefined): Term => {
    const controller = new AbortController()
    const begun = {
      lost: controller.signal,
      former,
      isLeading: () => term === begun && isLeader(),
      end(reason: Error) {
        if (term !== begun) return
        term = undefined
        cancelDeadline?.()
        gauge.set(0)
        log.warn(`leads no more: ${reason.message}`, { lease: client.name })
        controller.abort(reason)
      },
    }
    term = begun
    gauge.set(1)
    log.info('leads', { lease: client.name, former: former?.identity })
    renewing = keep(begun)
    return begun
  }

  const worked = (): void => {
    succeededAt = clock.monotonic()
    if (trouble !== undefined) options.onTrouble?.(undefined)
    trouble = undefined
  }

  const failed = (error: unknown): void => {
    if (isConflict(error) || error instanceof LostError) return worked()
    // A moment without the API server is nothing to talk of.
    if (isUnreachable(error) && clock.monotonic() - succeededAt < renewMs) return
    const reason = reasonOf(error)
    if (trouble === reason) return
    trouble = reason
    log.warn(`the lease "${client.name}" can't be had: ${reason}`, { error })
    options.onTrouble?.(error)
  }

  return {
    isLeader,
    holder: () => seen?.lease.spec?.holderIdentity || undefined,
    async campaign(signal) {
      for (;;) {
        signal.throwIfAborted()
        try {
          const taking = take()
          renewing = settled(taking)
          // Whoever is told to stop doesn't wait for an answer.
          const taken = await untilAborted(taking, signal)
          signal.throwIfAborted()
          worked()
          if (taken) return begin(taken.former)
        } catch (error) {
          signal.throwIfAborted()
          failed(error)
        }
        await clock.sleep(Math.round(retryMs * (1 + jitter * random())), signal)
      }
    },
    async resign() {
      term?.end(new Error('told to stop'))
      // What is under way could take it back; a process that is told to stop does not wait long for that.
      await Promise.race([renewing, clock.sleep(partingMs)])
      // Not before: it may have been taken just now, and then what the one before left is not to be overwritten.
      const handover = options.handover()
      try {
        const found = await client.read(partingMs)
        if (found?.spec?.holderIdentity !== identity) return
        // Not one that we had to make: until it runs out, whoever led by the one before may not have noticed.
        if (probation !== undefined) return
        // One second: the API server wants a whole number above 0.
        const spec = { ...specOf(found.spec), holderIdentity: '', leaseDurationSeconds: 1 }
        await client.replace(written(found, spec, handover), partingMs)
      } catch (error) {
        log.debug(`the lease could not be given up: ${reasonOf(error)}; it runs out`, { lease: client.name, error })
      }
    },
  }
}

async function settled(work: Promise<unknown>): Promise<void> {
  await Promise.allSettled([work])
}

class LostError extends Error {
  constructor(holder: string | undefined) {
    super(holder ? `${holder} leads` : 'the lease was taken away')
  }
}

function formerIn({ metadata, spec }: Lease): FormerLeader | undefined {
  const { holderIdentity: identity = '', renewTime } = spec ?? {}
  const handover = metadata.annotations?.[handoverAnnotation]
  // As a chart makes it: nobody ever led.
  if (identity === '' && renewTime === undefined && handover === undefined) return undefined
  return { identity, renewedAt: renewTime === undefined ? undefined : new Date(renewTime), handover }
}

function isConflict(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'KUBERNETES_CONFLICT'
}

function isMissing(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'KUBERNETES_NOT_FOUND'
}
