import { defineErrors } from '@holdfast/sdk'

/** What the fakes fail with, where the runtime has no such failure of its own yet. */
export const errors = defineErrors(
  {
    EXEC_LOST: {
      message: (p: { program: string }) => `the connection to ${p.program} ended without its exit code`,
      hint: 'What it wrote may be incomplete and was not stored.',
      retryable: true,
    },
    EXEC_TRUNCATED: {
      message: (p: { program: string; sent: number; arrived: number }) =>
        `${p.program} wrote ${p.sent} bytes, ${p.arrived} arrived`,
      hint: 'Nothing was stored. Try again.',
      retryable: true,
    },
  },
  'docs/errors.md',
)
