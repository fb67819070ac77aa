// A hook in TypeScript: the application stands still while it is copied, and goes on again whatever happens to us.
import { defineHook, defineUndo } from '@holdfast/sdk'
import { z } from 'zod'
import { pause, resume } from '../src/pause.ts'

const resumeWriter = defineUndo({
  name: 'resume-writer',
  input: z.strictObject({ file: z.string() }),
  deadline: '2m',
  run: ({ file }) => resume(file),
})

export default defineHook(
  'beforeBackups',
  async ({ undo, run, signal }) => {
    const file = process.env['PAUSE_FILE'] ?? 'pause'
    // Durable first, then the effect: a kill -9 right after this line changes nothing.
    await undo.arm(resumeWriter, { file })
    await pause(file, run.id, signal)
  },
  { undos: [resumeWriter] },
)
