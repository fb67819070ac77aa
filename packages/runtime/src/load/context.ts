import type { StorageDriver } from '@holdfast/sdk'
import type { ImportContext } from './import-module.ts'
import type { ConfigDraft } from './draft.ts'
import type { DrillScriptsForm } from './resolve-drill-code.ts'
import type { Problems } from './problems.ts'
import type { DefaultCopies } from './resolve-copies.ts'

/** What every step from a draft to a configuration needs. */
export interface ResolveContext extends ImportContext {
  readonly draft: ConfigDraft
  readonly problems: Problems
  /** Opens the store at a URL. */
  readonly openStorage: ((url: string) => Promise<StorageDriver>) | undefined
  /** Copies for configurations that name none. */
  readonly defaultCopies: DefaultCopies | undefined
  /** What scripts of a drill are. */
  readonly drillScripts: DrillScriptsForm | undefined
}
