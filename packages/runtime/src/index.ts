export { createArtifactStore, type ArtifactStore, type StoredArtifact } from './artifacts/store.ts'
export { fsStorage } from './artifacts/fs-driver.ts'
export { formatRetention, parseRetention, planRetention } from './artifacts/retention.ts'
export { openStorage } from './artifacts/storage-url.ts'
export { systemClock, type RuntimeClock } from './clock.ts'
export { createEngine, type CreateEngineOptions, type Engine, type RunRequest, type RunResult } from './engine.ts'
export { errors } from './errors.ts'
export { logOutput, rawOutput, type ExecOutput } from './exec/output.ts'
export { reasonOf, recordFailure, toFailure } from './failure.ts'
export { isStateDurable } from './journal/durability.ts'
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
export type { RecoveredUndo, Recovery } from './journal/recovery.ts'
export type { UndoMirror } from './journal/undo-mirror.ts'
export type { RunEvent, RunEventListener } from './lifecycle/events.ts'
export { exitCodes } from './lifecycle/outcome.ts'
export { hookNames, lifecyclePolicy } from './lifecycle/policy.ts'
export { loadConfig } from './load/load-config.ts'
export { problemsOf, formatPosition, type ConfigProblem } from './load/problems.ts'
export type { Participant, ResolvedConfig, ResolvedHook, ResolvedPlan } from './load/resolved.ts'
export { createLogger, type RuntimeLogger } from './telemetry/log.ts'
export { createMetrics, type Metrics } from './telemetry/metrics.ts'
export { createRedactor, type Redactor } from './telemetry/redaction.ts'
export { createVars, varFileName } from './vars.ts'
