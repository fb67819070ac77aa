export { createArtifactStore, listInstances, type ArtifactStore, type StoredArtifact } from './artifacts/store.ts'
export { fsStorage } from './artifacts/fs-driver.ts'
export { identitiesIn } from './artifacts/identities.ts'
export { describeKept, formatRetention, parseRetention, planRetention, type KeptPoint } from './artifacts/retention.ts'
export { openStorage } from './artifacts/storage-url.ts'
export { systemClock, type RuntimeClock } from './clock.ts'
export { isDrillCleanup } from './drill/cleanup-undo.ts'
export { drillId, drillOfId } from './drill/drill-name.ts'
export type { DrillResult } from './drill/execute-drill.ts'
export { restorerFor } from './drill/find-backups.ts'
export { inspectDrill, stepsOf as drillSteps, type InspectedDrill } from './drill/inspect-drill.ts'
export type { DrillRequest } from './drill/run-drill.ts'
export { validateDrill } from './drill/validate-drill.ts'
export { createEngine, type CreateEngineOptions, type Engine } from './engine.ts'
export { errors } from './errors.ts'
export { createByteWriter, type ByteWriter } from './exec/byte-writer.ts'
export { createExec, type CreateExecOptions } from './exec/create-exec.ts'
export {
  createContainerExec,
  type ContainerExec,
  type CreateContainerExecOptions,
} from './exec/container/container-exec.ts'
export type { ExecCluster } from './exec/container/services.ts'
export type { ContainerExecOptions } from './exec/container/start.ts'
export { logOutput } from './exec/log-output.ts'
export { rawOutput, type ExecOutput, type ExecOutputStream } from './exec/output.ts'
export { formatBytes } from './format-bytes.ts'
export { reasonOf, recordFailure, toFailure } from './failure.ts'
export { isStateDurable } from './journal/durability.ts'
export type { ExternalPoint, History, RunsPage } from './journal/history.ts'
export type { FormerPauses, Pauses } from './journal/pauses.ts'
export type { Journal } from './journal/journal.ts'
export { openJournal } from './journal/open-journal.ts'
export type {
  FailureRecord,
  HookRecord,
  ProcessRecord,
  RunRecord,
  TargetRecord,
  UndoRecord,
  UndoState,
} from './journal/records.ts'
export { recoverRestores, type Inheritance, type RunUnderWay } from './journal/recover-all.ts'
export { recoverUndos, type RecoveredUndo, type Recovery } from './journal/recovery.ts'
export { undoRecordOf } from './journal/adopt.ts'
export type { MirroredUndo, UndoMirror } from './journal/undo-mirror.ts'
export type { RunEvent, RunEventListener, StepName } from './lifecycle/events.ts'
export type { RunRequest, RunResult } from './lifecycle/run-plan.ts'
export { createApiClient, type ApiClient, type ApiRequest } from './kubernetes/api-client.ts'
export { connect, type ConnectOptions } from './kubernetes/connect.ts'
export { openCluster, ownPod, type Cluster, type OwnPod } from './kubernetes/cluster.ts'
export type { Connection, Credentials } from './kubernetes/connection.ts'
export { kubernetesEvents, type KubernetesEvents, type KubernetesEventsOptions } from './kubernetes/run-events.ts'
export { createKubernetes, type RuntimeKubernetes } from './kubernetes/kubernetes.ts'
export {
  createLeaderElection,
  type CreateLeaderElectionOptions,
  type FormerLeader,
  type LeaderElection,
  type Term,
} from './kubernetes/leader.ts'
export { leaseClient, type LeaseClient } from './kubernetes/lease.ts'
export { objectName } from './kubernetes/names.ts'
export { listStoredUndos, removeStoredUndo } from './kubernetes/stored-undos.ts'
export {
  enginePermissions,
  findMissingPermissions,
  mergePermissions,
  neededPermissions,
  permissionsOf,
  type MissingPermission,
  type NeededPermission,
} from './kubernetes/permissions.ts'
export { exitCodes } from './lifecycle/outcome.ts'
export { pointOf } from './lifecycle/builtins.ts'
export { inspectCopies, type InspectedCopy } from './lifecycle/inspect-copies.ts'
export { inspectPlan, listExternalPoints, validatePlan, type InspectedTarget } from './lifecycle/inspect.ts'
export { hookNames, lifecyclePolicy } from './lifecycle/policy.ts'
export { discoverTargets } from './lifecycle/targets.ts'
export { suggest } from './load/did-you-mean.ts'
export { runPluginCommand, unknownCommand } from './lifecycle/plugin-command.ts'
export {
  armUnfinished,
  preparePluginRestore,
  restoreByPlugin,
  type PluginRestoreOptions,
  type RestoredPoint,
} from './lifecycle/restore.ts'
export { executeTask, type TaskCall, type TaskRequest, type TaskResult } from './lifecycle/task.ts'
export type { Builtins } from './load/import-module.ts'
export { configJsonSchema } from './load/json-schema.ts'
export { loadConfig, type LoadConfigOptions, type LoadedConfig } from './load/load-config.ts'
export { provideModules } from './load/module-fallback.ts'
export { openStorageAddress } from './load/open-storage.ts'
export { findCopyOfStore } from './load/resolve-copies.ts'
export { problemsOf, formatPosition, type ConfigProblem } from './load/problems.ts'
export type { DrillScripts, DrillScriptsForm } from './load/resolve-drill-code.ts'
export type {
  Participant,
  ResolvedConfig,
  ResolvedCopy,
  ResolvedDrill,
  ResolvedHook,
  ResolvedNotifier,
  ResolvedPlan,
} from './load/resolved.ts'
export { watchConfig, type ConfigWatch, type WatchConfigOptions } from './load/reload.ts'
export { parseCron } from './schedule/cron.ts'
export { parseCrontab, type Crontab, type CrontabEntry } from './schedule/crontab.ts'
export { createSpaceCheck, noSpaceCheck, type SpaceCheck } from './restore/space.ts'
export { toldBytes } from './restore/told-bytes.ts'
export { describeUnfinished } from './restore/unfinished.ts'
export { createArtifactWriter, type ArtifactWriter, type RestorableArtifact } from './restore/write-artifact.ts'
export { preview, previewJson, type PlanPreview } from './schedule/preview.ts'
export { createScheduler, type Scheduler } from './schedule/scheduler.ts'
export { offsetAt, resolveTimeZone } from './schedule/time-zone.ts'
export type { FireSlot, MissedSlot } from './schedule/slots.ts'
export { deliver, reasonOfFailure } from './notify/deliver.ts'
export { testFacts } from './notify/facts.ts'
export { allOf as notifiersOf, type Awaited, type Notifications } from './notify/notifications.ts'
export { createSecrets } from './secrets.ts'
export type { Services } from './services.ts'
export { inSlices } from './telemetry/in-slices.ts'
export { listenForms, parseListenAddress, type ListenAddress } from './telemetry/listen-address.ts'
export { createLogger, type LogLevel, type RuntimeLogger } from './telemetry/log.ts'
export { createMetrics, type Metrics } from './telemetry/metrics.ts'
export { pushMetrics, type MetricsPush } from './telemetry/push/push-metrics.ts'
export { createRedactor, type Redactor } from './telemetry/redaction.ts'
export { createVars, varFileName } from './vars.ts'
