import { resolve } from 'node:path'
import { isDuration, type Duration } from '@holdfast/sdk'
import * as z from 'zod'
import { directoryOf, type HookDirectory } from './hooks.ts'

/** Options of {@link scripts}. */
export interface ScriptsOptions {
  /** The directory that holds a directory per hook; relative to the working directory. Default `'/scripts'`. */
  readonly path?: string | undefined
  /** The longest that one script may take. Default: none beyond its hook's. */
  readonly timeout?: Duration | undefined
  /** The longest that a hook with all its scripts may take, by directory name. Default: the lifecycle's budgets. */
  readonly timeouts?: { readonly [Directory in HookDirectory]?: Duration | undefined } | undefined
  /**
   * `false`: the set backs nothing up itself, it only surrounds what else the plan does. Default: a set with scripts in
   * `maintain` and none in `backups` maintains, any other backs up.
   */
  readonly backups?: false | undefined
  /** Where `save_var`, `load_var` and `save_artifact` are, for scripts whose `PATH` lacks them. Default: `HOLDFAST_BIN`. */
  readonly bin?: string | undefined
}

const duration = z
  .union([z.number(), z.templateLiteral([z.number(), z.enum(['ms', 's', 'm', 'h', 'd'])])], {
    error: "use milliseconds or a number with ms, s, m, h or d, such as '5m'",
  })
  .refine(isDuration, { error: 'a duration is not negative' })

/** Validates {@link ScriptsOptions}. */
export const scriptsSchema = z.strictObject({
  path: z.string().min(1).optional(),
  timeout: duration.optional(),
  timeouts: z
    .strictObject(
      Object.fromEntries(Object.values(directoryOf).map((directory) => [directory, duration.optional()])) as Record<
        HookDirectory,
        z.ZodOptional<typeof duration>
      >,
    )
    .optional(),
  backups: z.literal(false).optional(),
  bin: z.string().min(1).optional(),
})

/** The options after validation. */
export type ScriptsConfig = z.output<typeof scriptsSchema>

/** The directory that holds a directory per hook. */
export function rootOf(options: { readonly path?: string | undefined }): string {
  return resolve(options.path ?? '/scripts')
}
