export { type Duration, formatDuration, isDuration, parseDuration } from './duration.ts'
export type { Awaitable, Bytes, Json } from './json.ts'
export { createSecret, isSecret, type Secret, type SecretRef, type Secrets } from './secret.ts'
export {
  defineErrors,
  HoldfastError,
  isHoldfastError,
  type ErrorDefinition,
  type ErrorFactory,
  type HoldfastErrorOptions,
  type HoldfastFailure,
} from './error.ts'
export type {
  Artifact,
  Encoding,
  ObjectRef,
  Outcome,
  RestorePoint,
  Run,
  RunStatus,
  RunTrigger,
  Target,
  TargetOutcome,
} from './run.ts'
export { defineUndo, type ArmedUndo, type UndoDefinition, type UndoRef, type Undos } from './undo.ts'
export type { ContainerRef, Exec, ExecRequest, ExecResult, ExecSession, Sink } from './exec.ts'
export type { Kubernetes, KubernetesObject, Permission } from './kubernetes.ts'
export type {
  CheckContext,
  Clock,
  FinishContext,
  Logger,
  Meter,
  PruneContext,
  RunContext,
  ServiceContext,
  TargetContext,
  UndoContext,
  Vars,
  VerifyContext,
} from './context.ts'
export type {
  HookEntry,
  HookHandler,
  HookKind,
  HookName,
  HookOptions,
  HookPolicy,
  Hooks,
  HookShape,
  Lifecycle,
  LifecyclePolicy,
} from './lifecycle.ts'
export { defineHook, type DefineHookExtras, type HookModule, type HookModuleOf } from './hook.ts'
export { definePlugin, type Plugin, type PluginDefinition, type PluginFactory } from './plugin.ts'
export type { PlannedStep } from './planned-step.ts'
export type { RestoreCheckContext, RestoreContext, RestoreDefinition } from './restore.ts'
export {
  defineDrill,
  type Drill,
  type DrillChoice,
  type DrillCleanupContext,
  type DrillContext,
  type DrillOptions,
  type DrillPlace,
} from './drill.ts'
export type { Notification, NotificationOccasion, NotifiedRun, NotifiedTarget } from './notification.ts'
export {
  defineNotifier,
  type NotificationTemplate,
  type Notifier,
  type NotifierContext,
  type NotifierDefinition,
  type NotifierFactory,
  type NotifierSettings,
} from './notify.ts'
export {
  email,
  ping,
  slack,
  webhook,
  type EmailOptions,
  type PingOptions,
  type SlackOptions,
  type WebhookOptions,
} from './notifiers.ts'
export type { StorageDriver } from './storage.ts'
export type { Retention } from './retention.ts'
export type { Schedule } from './schedule.ts'
export { defineConfig, type EncodingOptions, type HoldfastConfig, type Plan } from './config.ts'
