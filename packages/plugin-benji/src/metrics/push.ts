import type { ServiceContext } from '@holdfast/sdk'
import { instanceOf, type BenjiEngine } from '../engine.ts'
import { errors } from '../errors.ts'
import { formatGauges, groupPath } from './exposition.ts'
import { gatewayOf, parseGateway, shownGateway } from './gateway.ts'
import { gaugesOf, groupingOf, type CompatGroup, type CompatKey } from './groups.ts'
import { sendToGateway, type GatewayRequest } from './send.ts'

/** What a push needs of a hook's context. */
export type PushContext = Pick<
  ServiceContext<{ readonly engine?: BenjiEngine | undefined }>,
  'config' | 'clock' | 'log' | 'meter' | 'signal'
>

/**
 * Pushes the metrics of Benji's Kubernetes tools, one group as a whole (PUT), where `engine.compatMetrics` asks for it.
 * Never rejects: what can't be pushed is a warning and counts in `holdfast_push_failures_total`.
 */
export async function pushCompatMetrics(ctx: PushContext, group: CompatGroup): Promise<void> {
  await attempt(ctx, (gateway) => ({
    gateway,
    method: 'PUT',
    path: groupPath(instanceOf(ctx.config.engine), groupingOf(group)),
    body: formatGauges(gaugesOf(group)),
  }))
}

/** Removes a group: what it says is no longer known (K30). Never rejects, as {@link pushCompatMetrics}. */
export async function removeCompatMetrics(ctx: PushContext, group: CompatKey): Promise<void> {
  await attempt(ctx, (gateway) => ({
    gateway,
    method: 'DELETE',
    path: groupPath(instanceOf(ctx.config.engine), groupingOf(group)),
  }))
}

/** The claims that the Pushgateway has a group of ours for; none where it can't be asked. */
export async function pushedClaims(
  ctx: PushContext,
): Promise<readonly { readonly namespace: string; readonly name: string }[]> {
  const answer = await attempt(ctx, (gateway) => ({ gateway, method: 'GET', path: '/api/v1/metrics' }))
  if (answer === undefined) return []
  const job = instanceOf(ctx.config.engine)
  return groupsIn(answer).flatMap(({ job: of, pvc_namespace: namespace, pvc_name: name }) =>
    of === job && namespace !== undefined && name !== undefined ? [{ namespace, name }] : [],
  )
}

function groupsIn(answer: string): readonly Readonly<Record<string, string | undefined>>[] {
  try {
    const { data } = JSON.parse(answer) as { readonly data?: unknown }
    if (!Array.isArray(data)) return []
    return data.map((group) => (group as { readonly labels?: Record<string, string> } | null)?.labels ?? {})
  } catch {
    // Something else answers at this address; the pushes say so.
    return []
  }
}

/** @returns the answer; `undefined` when nothing is to be pushed or it failed */
async function attempt(
  { config: { engine }, clock, log, meter, signal }: PushContext,
  requestTo: (gateway: URL) => GatewayRequest,
): Promise<string | undefined> {
  const address = gatewayOf(engine)
  if (address === undefined) return undefined
  const failures = meter.counter('holdfast_push_failures_total', 'Pushes of metrics that failed', ['sink'])
  const fail = (error: Error): void => {
    failures.add(1, { sink: 'benji' })
    log.warn(error.message, { error })
  }
  const gateway = parseGateway(address)
  if (gateway === undefined) {
    fail(errors.PUSH_ADDRESS({ address }))
    return undefined
  }
  try {
    return await sendToGateway(requestTo(gateway), { clock, signal })
  } catch (cause) {
    // That of several attempts at once, for one name with several addresses, has a code alone.
    const { message, code = '' } = cause as NodeJS.ErrnoException
    const reason = message || code
    fail(errors.PUSH_FAILED({ gateway: shownGateway(gateway), reason }, { cause }))
    return undefined
  }
}
