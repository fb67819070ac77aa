import { randomUUID } from 'node:crypto'
import type { Kubernetes, ObjectRef, ServiceContext } from '@holdfast/sdk'
import { instanceOf, type BenjiEngine } from './engine.ts'
import { labelNames } from './labels.ts'

/** Of the API server, which counts bytes and says characters. */
const longestMessage = 1024

/** What Benji's Kubernetes tools said, and its users' alerts look for. */
export interface BenjiEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: 'SuccessfulBackup' | 'FailedBackup' | 'SuccessfulRestore' | 'FailedRestore'
  readonly message: string
}

/** Posts an Event about a claim, as Benji's tools did. It never fails anything: what can't be posted is a warning. */
export async function postEvent(
  ctx: Pick<ServiceContext<unknown>, 'kubernetes' | 'clock' | 'log'>,
  about: ObjectRef | undefined,
  event: BenjiEvent,
  engine: BenjiEngine | undefined,
): Promise<void> {
  const { kubernetes } = ctx
  if (!kubernetes || about?.namespace === undefined) return
  try {
    await kubernetes.create('events', eventBody(about, event, engine, ctx.clock.now()))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    ctx.log.warn(`the Event ${event.reason} about ${about.namespace}/${about.name} could not be posted: ${reason}`)
  }
}

function eventBody(
  about: ObjectRef,
  { type, reason, message }: BenjiEvent,
  engine: BenjiEngine | undefined,
  now: Date,
): Parameters<Kubernetes['create']>[1] {
  const instance = instanceOf(engine)
  const reporter = process.env['POD_NAME'] || 'unknown-pod-name'
  const seconds = now.toISOString().replace(/\.\d+Z$/, 'Z')
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${instance.replaceAll(/[^\w.-]/g, '-')}-${randomUUID()}`,
      ...(about.namespace !== undefined && { namespace: about.namespace }),
      labels: {
        'reporting-component': 'benji',
        ...(isLabelValue(reporter) && { 'reporting-instance': reporter }),
        ...(isLabelValue(instance) && { [labelNames.instance]: instance }),
      },
    },
    involvedObject: { ...about },
    eventTime: now.toISOString().replace('Z', '000Z'),
    firstTimestamp: seconds,
    lastTimestamp: seconds,
    type,
    reason,
    message: cut(message),
    action: 'None',
    reportingComponent: 'benji',
    reportingInstance: reporter,
    source: { component: 'benji' },
  }
}

function cut(message: string): string {
  const bytes = Buffer.from(message)
  if (bytes.length <= longestMessage) return message
  const end = Buffer.from('…')
  const kept = bytes.subarray(0, longestMessage - end.length)
  // A character that was cut through is left out.
  return `${new TextDecoder().decode(kept, { stream: true })}…`
}

/** What Benji takes as an instance Kubernetes may not take as a label: then the Event goes without it. */
function isLabelValue(text: string): boolean {
  return text.length <= 63 && /^(?:[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)?$/.test(text)
}
