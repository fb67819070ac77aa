import { tmpdir } from 'node:os'
import { defineUndo } from '@holdfast/sdk'
import * as z from 'zod'
import type { ScriptsConfig } from './config.ts'
import { binOf, runVariables, searchPathOf, surroundingsFor } from './environment.ts'
import { scriptDirectories } from './hooks.ts'
import { runRemembered } from './run-script.ts'
import type { RunnableFile } from './script.ts'

/** What is kept of an `X.undo` while its `X` is in effect. */
const undoInput = z.strictObject({
  /** The script whose effect is undone. */
  script: z.string(),
  name: z.string(),
  path: z.string(),
  interpreter: z.array(z.string()),
  directory: z.enum(scriptDirectories),
  target: z.string(),
  /** The undo script itself: it must run even if its file is gone or another by then. */
  base64: z.base64(),
})

/**
 * Runs the remembered copy of an `X.undo`, with the variables of the run that armed it, perhaps in another process.
 * Exit code 0 means undone. It may run more than once, and also where `X` was killed before it did anything: it has to
 * look at the world first.
 */
export const undoScript = defineUndo<typeof undoInput, ScriptsConfig>({
  name: 'script',
  input: undoInput,
  deadline: '2m',
  async run(input, ctx) {
    const bytes = Buffer.from(input.base64, 'base64')
    const { name, path, interpreter, directory, target } = input
    const file: RunnableFile = {
      name,
      path,
      interpreter,
      bytes,
      size: bytes.length,
      mode: 0o700,
      fingerprint: '',
      executable: true,
    }
    const searchPath = searchPathOf(binOf(ctx.config), process.env.PATH ?? '')
    // A state directory without room keeps nothing frozen.
    const workspace = (): Promise<string> => ctx.workspace().catch(() => tmpdir())
    const variables = runVariables(ctx, directory, target)
    const surroundings = await surroundingsFor({ config: ctx.config, workspace }, searchPath, variables)
    ctx.log.info(`Undoing '${input.script}' with '${path}'`, { script: path, attempt: ctx.attempt })
    await runRemembered(ctx, { file, surroundings })
  },
})
