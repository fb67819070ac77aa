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
    UNDO_OWNED: {
      message: (p: { undo: string; run: string }) => `"${p.undo}" belongs to run ${p.run}, which may still be going on`,
      hint: 'Nothing was done: that run gives it back itself. If it is gone for sure, run the undo with --force.',
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
    RESTORE_CHOICE: {
      message: (p: { what: 'instance' | 'plan' | 'target'; found: string }) =>
        `there are backups of more than one ${p.what}: ${p.found}`,
      hint: (p) => `Nothing was touched. Name the one to restore with --${p.what}.`,
    },
    RESTORE_PLACE: {
      message: (p: { artifact: string }) => `where should "${p.artifact}" be restored to?`,
      hint: 'Nothing was touched. Say --to FILE, or --to DIRECTORY/.',
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
    DAEMON_STARTING: {
      message: () => 'the daemon is starting: what an earlier process left behind is dealt with first',
      hint: 'Wait. If it lasts, the log says what it waits for.',
    },
    DAEMON_WAITING: {
      message: (p: { directory: string; owner: string }) => `another daemon uses ${p.directory}: ${p.owner}`,
      hint: 'This one waits until the other has ended; two of them would run every plan twice. If both are meant, give each a state directory of its own.',
    },
    DAEMON_STOPPING: {
      message: () => 'the daemon is stopping',
      hint: 'Nothing is scheduled any more; what was taken is given back.',
    },
    PLANS_UNSCHEDULED: {
      message: (p: { source: string }) => `no plan of ${p.source} has a schedule`,
      hint: 'The daemon would never back anything up. Give a plan a `schedule`, or run plans by hand with `holdfast run`.',
    },
  },
  'docs/errors.md',
)
