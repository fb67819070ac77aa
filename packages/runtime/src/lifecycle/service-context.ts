import type { Exec, Run, ServiceContext, Target, Vars } from '@holdfast/sdk'
import type { Participant, ResolvedPlan } from '../load/resolved.ts'
import type { Services } from '../services.ts'
import type { RuntimeLogger } from '../telemetry/log.ts'
import { execOf } from './begun-commands.ts'
import type { BegunWork } from './begun-work.ts'
import type { Scope } from './scope.ts'

/** One call of one handler: what its context is built from. */
export interface CallSite {
  readonly services: Services
  readonly plan: ResolvedPlan
  readonly participant: Participant
  readonly hook: string
  readonly signal: AbortSignal
  readonly scope: Scope
  /** What the call has begun. Default: nobody looks after what it does not wait for. */
  readonly begun?: BegunWork | undefined
}

/** A call within a run. */
export interface RunCallSite extends CallSite {
  readonly run: Run
  readonly vars: Vars
  /** When the run began: what its artifacts have in common. */
  readonly startedAt: Date
  readonly target?: Target | undefined
}

/** Context of code outside a run: undos, restores, checks. */
export function serviceContext(site: CallSite, log: RuntimeLogger): ServiceContext<unknown> {
  const { services, participant, signal, scope, begun } = site
  const create = (until: AbortSignal): Exec => services.execFor({ signal: until, log })
  let exec: Exec | undefined
  return {
    config: participant.config,
    signal,
    log,
    clock: services.clock,
    meter: services.meter,
    secrets: services.secrets,
    kubernetes: services.kubernetes,
    // Made at first use: most hooks run no command.
    get exec() {
      return (exec ??= begun ? execOf({ begun, signal, create }) : create(signal))
    },
    workspace: async () => scope.workspace(),
    lock: (name, body, options) =>
      services.locks.withLock(`user-${name}`, body, {
        owner: `${participant.id} of plan ${site.plan.name}`,
        wait: options?.wait,
        signal,
      }),
  }
}

/** Adds members and keeps getters, which a spread would call. */
export function extend<Base extends object, More extends object>(base: Base, more: More): Base & More {
  return Object.defineProperties(base, Object.getOwnPropertyDescriptors(more)) as Base & More
}
