import * as z from 'zod'

/** Options of `templatePlugin`. */
export interface TemplatePluginOptions {
  /** The directory to back up. */
  readonly path: string
  /** A file that tells the application to write nothing, as long as it is there. Default: it is not told. */
  readonly pauseFile?: string | undefined
}

/** Strict: a misspelt option is refused, instead of doing nothing. */
export const optionsSchema = z.strictObject({
  path: z.string().min(1),
  pauseFile: z.string().min(1).optional(),
})
