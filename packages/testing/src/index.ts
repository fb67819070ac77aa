export { advanceUntil } from './advance-until.ts'
export type { PluginCase, PluginConformanceOptions, PluginEffect, PluginWorld } from './conformance/plugin-case.ts'
export { pluginConformance } from './conformance/plugin-conformance.ts'
export { createTestRun, type CreateTestRunOptions, type TestRun } from './create-test-run.ts'
export {
  dropsWithoutStatus,
  fakeExec,
  hangs,
  ignoresAbort,
  replies,
  slowSink,
  talks,
  truncates,
  type ExecCall,
  type FakeCall,
  type FakeCommand,
  type FakeExec,
  type FakeReply,
  type SlowPace,
} from './fake-exec.ts'
export type { FakeTalk } from './fake-session.ts'
export { accessRulesOf, type AccessRule, type FakeAccess } from './fake-kubernetes/access.ts'
export type { BadDay, RequestFault, RequestMatch, StatusFailure } from './fake-kubernetes/bad-days.ts'
export { selfSignedTls } from './fake-kubernetes/certificate.ts'
export type { ExecFault, ExecMatch } from './fake-kubernetes/exec-faults.ts'
export type { ExecExit } from './fake-kubernetes/exec-process.ts'
export type { FakeExecution } from './fake-kubernetes/fake-execution.ts'
export type { FakeKubernetes, StartFakeKubernetesOptions } from './fake-kubernetes/fake-kubernetes.ts'
export type { FakeKind } from './fake-kubernetes/kinds.ts'
export type { FakeTls } from './fake-kubernetes/listener.ts'
export type { StoredMetadata, StoredObject } from './fake-kubernetes/object-store.ts'
export type { FakeObjects } from './fake-kubernetes/objects.ts'
export type { FakeContainer, FakePod } from './fake-kubernetes/pods.ts'
export type { FakeRequest } from './fake-kubernetes/requests.ts'
export { startFakeKubernetes } from './fake-kubernetes/start-fake-kubernetes.ts'
export { memoryStorage, type MemoryStorage, type MemoryStorageOptions } from './memory-storage.ts'
export { storageConformance, type ConformanceCase, type StorageUnderTest } from './storage-conformance.ts'
export { testClock, type TestClock, type TestClockOptions } from './test-clock.ts'
export type { AdvanceToOptions, TestScheduler } from './test-scheduler.ts'
