import { randomUUID } from 'node:crypto'
import type { Kubernetes, ObjectRef, ServiceContext } from '@holdfast/sdk'
import { instanceOf, type BenjiEngine } from '../engine.ts'
import { labelNames } from '../labels.ts'

/** Of the API server. */
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
      name: `${instance}-${randomUUID()}`,
      ...(about.namespace !== undefined && { namespace: about.namespace }),
      labels: {
        'reporting-component': 'benji',
        'reporting-instance': reporter,
        [labelNames.instance]: instance,
      },
    },
    involvedObject: { ...about },
    eventTime: now.toISOString().replace('Z', '000Z'),
    firstTimestamp: seconds,
    lastTimestamp: seconds,
    type,
    reason,
    message: message.length > longestMessage ? `${message.slice(0, longestMessage - 1).toWellFormed()}…` : message,
    action: 'None',
    reportingComponent: 'benji',
    reportingInstance: reporter,
    source: { component: 'benji' },
  }
}
