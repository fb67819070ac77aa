import { errors } from '../errors.ts'
import type { Services } from '../services.ts'
import { abandonGraceMs } from './call.ts'

/** The artifacts that one call of a handler has begun. The call is not over before they are, and begins none afterwards. */
export interface BegunArtifacts {
  /** Stops them, with the call or before it. */
  readonly signal: AbortSignal
  /** Makes one. Who doesn't wait for it hears of its failure all the same, by {@link BegunArtifacts.finish}. */
  begin<T>(make: () => Promise<T>): Promise<T>
  /**
   * The handler has returned: waits for what it did not wait for.
   *
   * @throws what the first of them failed with
   */
  finish(): Promise<void>
  /** The handler has failed: stops what is on its way, and waits until it is, for a while. Never rejects. */
  stop(): Promise<void>
}

/** None has been begun yet. @param signal - of the call */
export function createBegunArtifacts({ clock }: Pick<Services, 'clock'>, signal: AbortSignal): BegunArtifacts {
  const own = new AbortController()
  const pending = new Set<Promise<unknown>>()

  const end = (): void => own.abort(errors.HOOK_OVER({}))

  return {
    signal: AbortSignal.any([signal, own.signal]),
    begin(make) {
      const made = make()
      pending.add(made)
      const settled = (): void => void pending.delete(made)
      made.then(settled, settled)
      return made
    },
    async finish() {
      // While one is waited for, another may be begun.
      while (pending.size > 0) await Promise.all(pending)
      end()
    },
    async stop() {
      end()
      const enough = Promise.withResolvers<void>()
      const cancel = clock.setTimer(abandonGraceMs, enough.resolve)
      await Promise.race([Promise.allSettled(pending), enough.promise])
      cancel()
    },
  }
}
