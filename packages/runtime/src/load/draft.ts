import type { ConfigForm } from './find-config.ts'
import type { ExportedAs } from './module-loader.ts'
import type { Locate } from './problems.ts'

/** A configuration as it was written, before anything is checked. */
export interface ConfigDraft {
  readonly form: ConfigForm
  /** The file, or `environment`. */
  readonly source: string
  readonly value: unknown
  readonly locate: Locate
  /** What the modules that it imports export: how a hook module gets its file's name. */
  readonly exported: ReadonlyMap<unknown, ExportedAs>
}
