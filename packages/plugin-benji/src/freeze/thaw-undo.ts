import { defineUndo, isHoldfastError, type HoldfastError, type Kubernetes, type UndoContext } from '@holdfast/sdk'
import * as z from 'zod'
import { errors } from '../errors.ts'
import { rbdImageSchema } from '../rbd/image.ts'
import { findAgent } from './agents.ts'
import { freezeMetrics } from './freeze-metrics.ts'
import { escapeMountPoint } from './mounts.ts'
import { scriptCommand } from './shell.ts'
import { thawScript } from './thaw-script.ts'

/** All that is needed to thaw a filesystem, by any process. */
export const thawInput = z.strictObject({
  claim: z.strictObject({ namespace: z.string(), name: z.string() }),
  image: rbdImageSchema,
  agent: z.strictObject({ namespace: z.string(), selector: z.string(), container: z.string(), node: z.string() }),
  /** `MAJOR:MINOR`, there. */
  device: z.string(),
  path: z.string(),
  kubeletRoot: z.string(),
  sysRoot: z.string(),
  /** Whose freeze it is. */
  token: z.string(),
  /** When it was armed: since then the filesystem may be frozen, in ms since 1970. */
  since: z.number(),
})

/** All that is needed to thaw a filesystem. */
export type ThawInput = z.output<typeof thawInput>

/** Longer than the agent tries by itself. */
const attemptTimeoutMs = 60_000

/**
 * Thaws a filesystem, from any process: by an agent on the recorded node, which may be another one by now (F37). What is
 * not mounted there any more is thawed, and so is what another session has frozen since.
 */
export const thawUndo = defineUndo({
  name: 'benji-thaw',
  input: thawInput,
  // As long as a node may take to come back, with its agent.
  deadline: '10m',
  async run(input, ctx) {
    const metrics = freezeMetrics(ctx.meter, input.claim)
    try {
      await thawBy(input, ctx)
    } catch (error) {
      metrics.frozen(new Date(input.since))
      throw isHoldfastError(error) && error.code === errors.THAW_FAILED.code ? error : failure(input, error)
    }
    metrics.thawed()
  },
})

function failure(input: ThawInput, cause: unknown): HoldfastError {
  const reason = typeof cause === 'string' ? cause : cause instanceof Error ? cause.message : String(cause)
  return errors.THAW_FAILED({ where: whereOf(input), reason, command: thawCommand(input) }, { cause })
}

async function thawBy(input: ThawInput, ctx: UndoContext): Promise<void> {
  const { agent, image, device, path, token, kubeletRoot, sysRoot } = input
  const where = whereOf(input)
  const { kubernetes } = ctx
  if (!kubernetes) throw failure(input, 'there is no Kubernetes here')
  const container = await findAgent(kubernetes, agent)
  if ('reason' in container) {
    if (!(await isEmpty(kubernetes, agent.node))) throw failure(input, container.reason)
    ctx.log.warn(`${where} is gone with its node, which no pod names any more`)
    return
  }
  const { pool, namespace, name } = image
  const command = scriptCommand(
    thawScript,
    'holdfast-thaw',
    token,
    device,
    path,
    escapeMountPoint(path),
    kubeletRoot,
    sysRoot,
    pool,
    namespace,
    name,
  )
  const said: string[] = []
  try {
    const onLine = (line: string, from: string): void => void (from === 'stdout' && said.push(line))
    await ctx.exec.container(container, { command, timeout: attemptTimeoutMs, onLine })
  } catch (error) {
    const reason = said.find((line) => line.startsWith('failed '))?.slice('failed '.length)
    throw reason === undefined ? error : failure(input, reason)
  }
  const result = said.at(-1)
  if (result === undefined || !(result in outcomes)) throw failure(input, `its agent said ${JSON.stringify(said)}`)
  ctx.log.info(`${where}: ${outcomes[result]}`, { token })
}

const outcomes: Readonly<Record<string, string>> = {
  thawed: 'it was frozen, and is thawed',
  'not-frozen': 'it is not frozen',
  gone: 'it is not mounted any more',
  another: 'it is frozen by another backup, so that of this one is over',
}

/** Whether no pod is on a node: a living node has some, and those of one that was removed are removed as well. */
async function isEmpty(kubernetes: Kubernetes, node: string): Promise<boolean> {
  try {
    for await (const _ of kubernetes.list('pods', { fieldSelector: `spec.nodeName=${node}` })) return false
    return true
  } catch (error) {
    // Not everybody may read the pods of all namespaces; who can't tell goes on trying.
    if (isHoldfastError(error) && error.code === 'KUBERNETES_FORBIDDEN') return false
    throw error
  }
}

/** For people: what, and where. */
export function whereOf({ claim, agent, path }: Pick<ThawInput, 'claim' | 'agent' | 'path'>): string {
  return `${claim.namespace}/${claim.name} (node ${agent.node}, ${path})`
}

/** What a person can do on the node, as root. */
export function thawCommand({ path }: Pick<ThawInput, 'path'>): string {
  return `fsfreeze --unfreeze ${/^[\w./@:+,=-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`}`
}
