// What loading makes of a configuration: everything checked, every default filled in. The rest of the runtime knows
// only these shapes.
import type {
  CheckContext,
  Drill,
  DrillCleanupContext,
  DrillContext,
  HoldfastError,
  HookHandler,
  HookName,
  Json,
  Notification,
  NotificationOccasion,
  NotificationTemplate,
  NotifierContext,
  Permission,
  PlannedStep,
  PluginDefinition,
  RestoreDefinition,
  Retention,
  Schedule,
  SecretRef,
  StorageDriver,
  Target,
  UndoDefinition,
} from '@holdfast/sdk'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** One handler of one participant, defaults filled in. */
export interface ResolvedHook<Name extends HookName = HookName> {
  readonly handler: HookHandler<Name, unknown>
  readonly order: 'pre' | 'normal' | 'post'
  /** `undefined`: the budget of the policy table. */
  readonly timeoutMs: number | undefined
  readonly retry: { readonly attempts: number; readonly backoffMs: number }
}

/** A configured plugin or a hook module, or whoever acts for a drill, as the runner sees it. */
export interface Participant {
  readonly kind: 'plugin' | 'hook' | 'drill'
  /** Unique within its plan: the instance's name, or the hook module's; `drill:NAME`. */
  readonly id: string
  /** The plugin's name; the hook module's for hook modules. */
  readonly name: string
  /** Where it came from, for messages: a file, or `module#export`. */
  readonly source: string | undefined
  /** Options after validation; `undefined` for hook modules. */
  readonly config: unknown
  readonly hooks: { readonly [Name in HookName]?: ResolvedHook<Name> }
  readonly undos: ReadonlyMap<string, UndoDefinition<Json>>
  readonly permissions: readonly Permission[]
  readonly targets: PluginDefinition<StandardSchemaV1, Json, StandardSchemaV1>['targets']
  readonly describe:
    | ((
        ctx: CheckContext<unknown> & { readonly target: Target },
      ) => PlannedStep[] | Promise<readonly PlannedStep[]> | readonly PlannedStep[])
    | undefined
  readonly restore: RestoreDefinition<unknown, StandardSchemaV1> | undefined
  readonly commands: PluginDefinition<StandardSchemaV1, Json, StandardSchemaV1>['commands']
}

/** How artifacts are stored. */
export interface ResolvedEncoding {
  readonly compression: 'zstd' | 'gzip' | 'none'
  readonly recipients: readonly string[]
  readonly identity: SecretRef | undefined
}

/** A further store. */
export interface ResolvedCopy {
  /** Unique within its plan: its address, or what its driver is called. For people, and a label in metrics. */
  readonly name: string
  readonly driver: StorageDriver
}

/** Somebody who is told how runs went, with every default filled in. */
export interface ResolvedNotifier {
  /** A label in metrics. Unique within its list. */
  readonly name: string
  /** What it is: `slack`. */
  readonly kind: string
  readonly on: ReadonlySet<NotificationOccasion>
  readonly errorTexts: boolean
  readonly subject: NotificationTemplate | undefined
  readonly text: NotificationTemplate | undefined
  readonly timeoutMs: number
  /** What its options refer to. */
  readonly secrets: readonly SecretRef[]
  /** Its options, after validation. */
  readonly config: unknown
  send(notification: Notification, ctx: NotifierContext): unknown
}

/** A plan with every default filled in. */
export interface ResolvedPlan {
  readonly name: string
  readonly schedule: Schedule | undefined
  readonly participants: readonly Participant[]
  readonly concurrency: number
  readonly budgetMs: number
  readonly retry: { readonly attempts: number; readonly backoffMs: number }
  readonly retention: Retention | undefined
  readonly allowEmpty: boolean
  readonly encoding: ResolvedEncoding
  readonly copies: readonly ResolvedCopy[]
  readonly notify: readonly ResolvedNotifier[]
  /** No participant has a `backups` hook. */
  readonly maintenance: boolean
}

/** What a drill calls: a function, a module's, or scripts. */
export interface ResolvedDrillCode<Context> {
  /** Where it is, for messages. */
  readonly source: string
  run(ctx: Context): unknown
  /** What stands in the way of running it, all at once. */
  check?(): Promise<readonly HoldfastError[]>
}

/** A drill with every default filled in. */
export interface ResolvedDrill {
  readonly name: string
  /** Backs something up. */
  readonly plan: ResolvedPlan
  readonly schedule: Schedule | undefined
  readonly select: 'newest' | 'random'
  /** `undefined`: any that has backups. */
  readonly target: string | undefined
  readonly options: NonNullable<Drill['options']>
  /** Files, whoever else could restore. */
  readonly bytes: boolean
  readonly expect: ResolvedDrillCode<DrillContext>
  readonly cleanup: ResolvedDrillCode<DrillCleanupContext> | undefined
  /** `undefined`: in the state directory. */
  readonly scratch: string | undefined
  readonly budgetMs: number
  readonly expectMs: number
  readonly notify: readonly ResolvedNotifier[]
  /** Acts for it: arms its undo, needs its permissions. */
  readonly participant: Participant
}

/** A configuration with every default filled in. */
export interface ResolvedConfig {
  readonly instance: string
  /** `undefined`: the fs store in the state directory. */
  readonly storage: StorageDriver | undefined
  readonly plans: readonly ResolvedPlan[]
  readonly drills: readonly ResolvedDrill[]
  /** Of plans that are gone, and the default of the others. */
  readonly notify: readonly ResolvedNotifier[]
  /** Which of several pods schedule. */
  readonly replicas: 'each' | 'leader'
  /** Whether armed undos are kept as ConfigMaps, too, where the API allows it. */
  readonly undoMirror: boolean
  /** Address of a Pushgateway, or where it is; default: nothing is pushed. */
  readonly pushgateway?: string | SecretRef | undefined
  /** The file it came from, or `environment`. */
  readonly source: string
}
