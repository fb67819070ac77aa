import type { CheckContext, FinishContext, PruneContext, RunContext, TargetContext, VerifyContext } from './context.ts'
import type { Duration } from './duration.ts'
import type { Json } from './json.ts'

/** How the handlers of a hook run: one after the other, at once, once per target, or watching only. */
export type HookKind = 'series' | 'parallel' | 'targets' | 'observe'

/** Kind and context of one hook. */
export interface HookShape<Kind extends HookKind, Ctx> {
  readonly kind: Kind
  readonly ctx: Ctx
}

/** Every hook of a run, in order. The policy table (`LifecyclePolicy`) says when each runs and what its failure means. */
export interface Lifecycle<Config = unknown, Data extends Json = Json> {
  /** Once per process start, as a run of its own. */
  installDependencies: HookShape<'series', RunContext<Config>>
  /** Checks without side effects: at load, before every run, in `holdfast validate` and in a dry run. */
  validate: HookShape<'parallel', CheckContext<Config>>
  /** Quiesce. Undos armed here fire as soon as the last backup settles. */
  beforeBackups: HookShape<'series', RunContext<Config>>
  /** Once per target, isolated, concurrent up to the plan's limit. Undos armed here fire when this handler settles for this target. */
  backups: HookShape<'targets', TargetContext<Config, Data>>
  /** Once, if at least one target succeeded. */
  afterBackups: HookShape<'series', RunContext<Config>>
  /** Once per target that succeeded: proves that what was stored can be read back. */
  verifyBackups: HookShape<'targets', VerifyContext<Config, Data>>
  /** Per target whose newest restore point is verified; never removes that one. */
  pruneBackups: HookShape<'targets', PruneContext<Config, Data>>
  /** The work of a plan that backs nothing up: enforce, cleanup, scrub. */
  maintain: HookShape<'series', RunContext<Config>>
  /** Once, on every outcome but success and skip; a failure here is logged and triggers nothing. */
  onError: HookShape<'observe', FinishContext<Config>>
  /** Once, on every outcome. */
  onFinish: HookShape<'observe', FinishContext<Config>>
}

/** The name of a hook. */
export type HookName = keyof Lifecycle

/** A hook's code. What it returns is awaited and ignored. */
export type HookHandler<Name extends HookName, Config, Data extends Json = Json> = (
  ctx: Lifecycle<Config, Data>[Name]['ctx'],
) => unknown

/** Settings of one hook of one plugin. */
export interface HookOptions {
  /** Before or after the handlers without an order; stable inside each group. */
  readonly order?: 'pre' | 'post' | undefined
  /** Default: the hook's own budget (see the lifecycle table). */
  readonly timeout?: Duration | undefined
  /** Attempts in all, and the pause between them. Between attempts all undos of the failed one fire. */
  readonly retry?: { readonly attempts: number; readonly backoff?: Duration | undefined } | undefined
}

/** A handler, or a handler with options. */
export type HookEntry<Name extends HookName, Config, Data extends Json = Json> =
  HookHandler<Name, Config, Data> | (HookOptions & { readonly handler: HookHandler<Name, Config, Data> })

/** The hooks of a plugin. */
export type Hooks<Config, Data extends Json = Json> = { readonly [Name in HookName]?: HookEntry<Name, Config, Data> }

/** When a hook runs, and what its failure means. */
export interface HookPolicy<Kind extends HookKind> {
  readonly kind: Kind
  /** `work-done`: a maintenance plan, or some target succeeded. `not-succeeded`: failed, partial or aborted. */
  readonly when:
    | 'boot'
    | 'always'
    | 'has-targets'
    | 'some-target-succeeded'
    | 'target-succeeded'
    | 'target-verified'
    | 'work-done'
    | 'not-succeeded'
  /** Whether it runs after a run-level hook has failed: verification and observers. */
  readonly afterRunFailure: boolean
  readonly stop: 'first-failure' | 'never'
  readonly onFailure: 'stop-boot' | 'fail-run' | 'fail-target' | 'unverify-target' | 'warn'
  /** `reserve`: a fresh signal and a budget of its own, so that it is never born aborted. */
  readonly signal: 'run' | 'reserve'
  /** `print`: what would be done is listed, no handler is called. */
  readonly inDryRun: 'run' | 'skip' | 'print'
  readonly timeout: Duration
}

/** One policy for every hook: leaving one out, or giving it the wrong kind, does not compile. */
export type LifecyclePolicy = { readonly [Name in HookName]: HookPolicy<Lifecycle[Name]['kind']> }
