import { formatDuration, parseDuration, type Duration, type Kubernetes } from '@holdfast/sdk'
import type { PersistentVolumeClaim } from '../discovery/objects.ts'
import { errors } from '../errors.ts'
import type { Restore } from './context.ts'

/** How often is looked. */
const pollMs = 2000
const defaultWait: Duration = '5m'

/**
 * Waits until a claim is bound to a volume (K33).
 *
 * @param uid - of the claim that is meant; another of its name is none
 * @throws HoldfastError `VOLUME_NOT_BOUND`
 */
export async function waitUntilBound(
  { ctx, options }: Restore,
  kubernetes: Kubernetes,
  { namespace, name, uid }: { readonly namespace: string; readonly name: string; readonly uid: string | undefined },
): Promise<PersistentVolumeClaim> {
  const wait = parseDuration(options.wait ?? defaultWait)
  const deadline = ctx.clock.now().getTime() + wait
  const claim = `${namespace}/${name}`
  for (let looks = 0; ; looks++) {
    const found = await kubernetes.get<PersistentVolumeClaim>('persistentvolumeclaims', name, { namespace })
    if (!found || (uid !== undefined && found.metadata.uid !== uid)) {
      throw errors.VOLUME_NOT_BOUND({ claim, reason: 'it was removed meanwhile' })
    }
    const phase = found.status?.phase ?? 'Pending'
    if (phase === 'Bound' && found.spec?.volumeName) return found
    if (phase === 'Lost') throw errors.VOLUME_NOT_BOUND({ claim, reason: 'it has lost its volume (Lost)' })
    if (ctx.clock.now().getTime() >= deadline) {
      throw errors.VOLUME_NOT_BOUND({ claim, reason: `it is still ${phase} after ${formatDuration(wait)}` })
    }
    if (looks === 0)
      ctx.log.info(`waiting until the claim ${claim} is bound to a volume, ${formatDuration(wait)} at most`)
    await ctx.clock.sleep(pollMs, ctx.signal)
  }
}
