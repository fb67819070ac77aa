import { rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { defineUndo, type RunContext } from '@holdfast/sdk'
import * as z from 'zod'
import type { TemplatePluginOptions } from './options.ts'

/** Gives back what `pause` takes, also in another process after a crash. It may run twice, so it minds nothing. */
export const resume = defineUndo({
  name: 'resume',
  input: z.strictObject({ pauseFile: z.string() }),
  deadline: '1m',
  run: ({ pauseFile }) => rm(pauseFile, { force: true }),
})

/** Armed first, and only then done: what was not written down could not be given back. */
export async function pause({ config: { pauseFile }, undo }: RunContext<TemplatePluginOptions>): Promise<void> {
  if (pauseFile === undefined) return
  // Who gives it back may have been started in another directory.
  const file = resolve(pauseFile)
  await undo.arm(resume, { pauseFile: file })
  await writeFile(file, '')
}
