import { storageErrors } from './artifacts/errors.ts'
import { drillErrors } from './drill/errors.ts'
import { execErrors } from './exec/errors.ts'
import { undoErrors } from './journal/errors.ts'
import { kubernetesErrors } from './kubernetes/errors.ts'
import { lifecycleErrors } from './lifecycle/errors.ts'
import { configurationErrors } from './load/errors.ts'
import { notifyErrors } from './notify/errors.ts'
import { restoreErrors } from './restore/errors.ts'
import { scheduleErrors } from './schedule/errors.ts'
import { telemetryErrors } from './telemetry/errors.ts'

/**
 * Every error of the engine, from the file of each subject. Codes are permanent; `docs/errors.md` is generated from here. A
 * message says what happened in one line; a hint says what it means for the backups and what to do.
 */
export const errors = {
  ...lifecycleErrors,
  ...configurationErrors,
  ...restoreErrors,
  ...drillErrors,
  ...undoErrors,
  ...notifyErrors,
  ...telemetryErrors,
  ...execErrors,
  ...kubernetesErrors,
  ...scheduleErrors,
  ...storageErrors,
}
