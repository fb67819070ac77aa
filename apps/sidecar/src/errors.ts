import { defineErrors } from '@holdfast/sdk'

/** The errors of the command line. Codes are permanent; `docs/errors.md` is generated from here. */
export const errors = defineErrors(
  {
    INTERNAL: {
      message: (p: { reason: string }) => `Holdfast itself failed: ${p.reason}`,
      hint: 'This is a fault in Holdfast, not in your configuration. Whether something was backed up is in `holdfast history`. Please report it with the output of `holdfast doctor --json` and of this command with --log-level debug.',
    },
    OPTION_INVALID: {
      message: (p: { option: string; value: string; allowed: string }) => `${p.option} can't be "${p.value}"`,
      hint: (p) => `Nothing was done. Allowed: ${p.allowed}.`,
    },
    CONFIRMATION_NEEDED: {
      message: (p: { what: string }) => `${p.what} needs your confirmation, and there is nobody to ask`,
      hint: 'Nothing was done. Say --yes to confirm where no terminal is.',
    },
    STATE_MISSING: {
      message: (p: { directory: string }) => `there is no journal in ${p.directory}`,
      hint: 'Nothing has run with this state directory yet. Name the right one with --state-dir; what is in the store is listed by `holdfast list --storage URL`.',
    },
    RUN_UNKNOWN: {
      message: (p: { run: string; directory: string }) => `there is no run "${p.run}" in ${p.directory}`,
      hint: '`holdfast history` lists them; the beginning of an id is enough.',
    },
    RUN_AMBIGUOUS: {
      message: (p: { run: string; runs: string }) => `"${p.run}" is the beginning of more than one run`,
      hint: (p) => `Give more of it: ${p.runs}.`,
    },
    UNDO_NOT_PENDING: {
      message: (p: { undo: string }) => `no pending undo has the id "${p.undo}"`,
      hint: '`holdfast undo list` shows what is pending; the beginning of an id is enough.',
    },
    STORE_MISSING: {
      message: (p: { directory: string }) => `there is no artifact store in ${p.directory}`,
      hint: 'Nothing was read. Name the store with --storage URL, or the configuration that names it with --config.',
    },
    ARTIFACT_UNKNOWN: {
      message: (p: { artifact: string; store: string }) => `there is no artifact "${p.artifact}" in ${p.store}`,
      hint: '`holdfast list` shows what is there; the beginning of an id is enough.',
    },
    ARTIFACT_AMBIGUOUS: {
      message: (p: { artifact: string; artifacts: string }) => `"${p.artifact}" fits more than one artifact`,
      hint: (p) => `Nothing was done. Give more of the id: ${p.artifacts}.`,
    },
    RESTORE_NOTHING: {
      message: (p: { what: string }) => `there is nothing to restore: ${p.what}`,
      hint: 'Nothing was touched. `holdfast list` shows what is in the store, and from when it is.',
    },
    RESTORE_DAMAGED_OUTPUT: {
      message: (p: { artifact: string; path: string }) => `restoring "${p.artifact}" to ${p.path} did not succeed`,
      hint: 'What had been written is gone again; what was there before is untouched.',
    },
    RESTORE_EXISTS: {
      message: (p: { path: string }) => `${p.path} is there already`,
      hint: 'It was not touched. Name another place with --to, or overwrite it with --force.',
    },
    RESTORE_UNWRITABLE: {
      message: (p: { path: string; reason: string }) => `${p.path} can't be written: ${p.reason}`,
      hint: 'What was there before is untouched. Name another place with --to, or make this one writable and give it enough space.',
    },
    FILE_EXISTS: {
      message: (p: { path: string }) => `${p.path} is there already`,
      hint: 'It was not touched. Remove it first, or run `holdfast init` in another directory.',
    },
    PLANS_UNSCHEDULED: {
      message: (p: { source: string }) => `no plan of ${p.source} has a schedule`,
      hint: 'The daemon would never back anything up. Give a plan a `schedule`, or run plans by hand with `holdfast run`.',
    },
  },
  'docs/errors.md',
)
