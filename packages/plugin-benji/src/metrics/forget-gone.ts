import type { FinishContext, Kubernetes } from '@holdfast/sdk'
import type { BenjiEngine } from '../engine.ts'
import { pushedClaims, removeCompatMetrics } from './push.ts'

/** So many claims are asked for one by one; more are listed. */
const mostAsked = 20

/**
 * Removes what the Pushgateway has of claims that don't exist any more: it would show their last backup for ever (K27).
 * To be called at the end of a run. Never rejects.
 */
export async function forgetGone(
  ctx: Pick<
    FinishContext<{ readonly engine?: BenjiEngine | undefined }>,
    'config' | 'clock' | 'log' | 'meter' | 'signal' | 'kubernetes' | 'outcome' | 'run'
  >,
): Promise<void> {
  const { kubernetes, log, outcome, run } = ctx
  if (!kubernetes || run.dryRun) return
  const there = new Set(outcome.targets.map(({ target }) => target.id))
  const doubtful = (await pushedClaims(ctx)).filter(({ namespace, name }) => !there.has(`${namespace}/${name}`))
  if (doubtful.length === 0) return
  try {
    const isGone = await goneAmong(kubernetes, doubtful)
    for (const claim of doubtful.filter(isGone)) {
      const volume = `${claim.namespace}/${claim.name}`
      log.info(`the claim ${volume} is gone, and with it what the Pushgateway says about its backups`)
      await removeCompatMetrics(ctx, { kind: 'backup', volume, claim })
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn(`claims that are gone may still be in the Pushgateway: ${reason}`, { error })
  }
}

interface Claim {
  readonly namespace: string
  readonly name: string
}

async function goneAmong(kubernetes: Kubernetes, claims: readonly Claim[]): Promise<(claim: Claim) => boolean> {
  const keyOf = ({ namespace, name }: Claim): string => `${namespace}/${name}`
  const known = new Set<string>()
  if (claims.length <= mostAsked) {
    for (const { namespace, name } of claims) {
      const found = await kubernetes.get('persistentvolumeclaims', name, { namespace })
      if (found) known.add(keyOf({ namespace, name }))
    }
  } else {
    for await (const { metadata } of kubernetes.list('persistentvolumeclaims')) {
      known.add(keyOf({ namespace: metadata.namespace ?? '', name: metadata.name }))
    }
  }
  return (claim) => !known.has(keyOf(claim))
}
