import type { RestoreCheckContext } from '@holdfast/sdk'
import type { Benji } from '../benji/benji.ts'
import type { BenjiVersion } from '../benji/version.ts'
import type { BenjiEngine } from '../engine.ts'
import type { Rbd } from '../rbd/rbd.ts'
import type { RestoreOptions } from './options.ts'

/** What a restore needs of its plugin's configuration. */
export interface RestoreConfig {
  readonly engine?: BenjiEngine | undefined
}

/** A restore, under way or looked at: everything that its parts need. */
export interface Restore {
  readonly ctx: RestoreCheckContext<RestoreConfig>
  readonly benji: Benji
  readonly rbd: Rbd
  readonly version: BenjiVersion
  readonly options: RestoreOptions
  /** Overwrites what is in use, restores what is doubtful. */
  readonly force: boolean
}
