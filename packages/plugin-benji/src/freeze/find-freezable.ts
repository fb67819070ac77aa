import { isHoldfastError, parseDuration, type HoldfastError } from '@holdfast/sdk'
import { formatImage } from '../rbd/image.ts'
import { freezeAgent } from './agent-pod.ts'
import { findAgent } from './agents.ts'
import { nodeOfClaim } from './claim-node.ts'
import { freezeFilesystem } from './freeze.ts'
import type { FindFreezable } from './frozen.ts'
import { impossible } from './impossible.ts'
import { lookScript } from './look-script.ts'
import { chooseMount } from './mounts.ts'
import { defaultKubeletRoot, defaultLimit } from './options.ts'
import { scriptCommand } from './shell.ts'
import { whereOf } from './thaw-undo.ts'

/** What an agent gets to look around on its node. */
const lookTimeoutMs = 30_000

/** Finds the node, the agent and the mount of a claim's filesystem; see {@link FindFreezable}. */
export const findFreezable: FindFreezable = async (ctx, { claim, image }, options) => {
  const { limit = defaultLimit, agentSelector = freezeAgent.selector } = options
  const { kubeletRoot = defaultKubeletRoot, sysRoot = '/sys' } = options
  const { kubernetes } = ctx
  if (!kubernetes) {
    throw impossible(
      claim,
      'there is no Kubernetes here',
      'In a pod, give it a service account whose token is mounted; elsewhere set KUBECONFIG.',
    )
  }
  const { namespace } = kubernetes
  const { container } = freezeAgent
  const refused = (what: string, error: unknown): HoldfastError => {
    if (!isHoldfastError(error) || ctx.signal.aborted) throw error
    return impossible(claim, `${what}: ${error.message}`, error.hint ?? '', error)
  }
  const node = await nodeOfClaim(kubernetes, claim)
  const place = { namespace, selector: agentSelector, container, node }
  const agent = await findAgent(kubernetes, place)
  if ('reason' in agent) {
    throw impossible(
      claim,
      agent.reason,
      'The chart runs one on each node with benji.freeze.enabled; look at its DaemonSet, and at the taints of that node.',
    )
  }
  const found = await ctx.exec
    .container(agent, {
      command: scriptCommand(
        lookScript,
        'holdfast-look',
        sysRoot,
        kubeletRoot,
        image.pool,
        image.namespace,
        image.name,
      ),
      timeout: lookTimeoutMs,
    })
    .catch((error: unknown) => {
      throw refused(`the freeze agent on its node ${node} cannot look`, error)
    })
  const mount = chooseMount({ found: found.stdout, image: formatImage(image), volume: claim.pv, kubeletRoot })
  if ('reason' in mount) throw impossible(claim, `${mount.reason} (node ${node})`, mount.advice)
  const thawed = {
    claim: { namespace: claim.namespace, name: claim.name },
    image,
    agent: place,
    ...mount,
    kubeletRoot,
    sysRoot,
  }
  return {
    where: whereOf(thawed),
    freeze: () => freezeFilesystem(ctx, { agent, place: thawed, limitMs: parseDuration(limit) }),
  }
}
