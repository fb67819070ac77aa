export { advanceUntil } from './advance-until.ts'
export { createTestRun, type CreateTestRunOptions, type TestRun } from './create-test-run.ts'
export {
  dropsWithoutStatus,
  fakeExec,
  hangs,
  ignoresAbort,
  replies,
  truncates,
  type ExecCall,
  type FakeCall,
  type FakeCommand,
  type FakeExec,
  type FakeReply,
} from './fake-exec.ts'
export { memoryStorage, type MemoryStorage, type MemoryStorageOptions } from './memory-storage.ts'
export { storageConformance, type ConformanceCase, type StorageUnderTest } from './storage-conformance.ts'
export { testClock, type TestClock, type TestClockOptions } from './test-clock.ts'
