import { defineErrors } from '@holdfast/sdk'

/**
 * Every error of the engine. Codes are permanent; `docs/errors.md` is generated from here. A message says what happened
 * in one line; a hint says what it means for the backups and what to do.
 */
export const errors = defineErrors(
  {
    // ---- lifecycle
    HOOK_FAILED: {
      message: (p: { where: string; reason: string }) => `${p.where} failed: ${p.reason}`,
      hint: 'The error is the one that the hook threw; its cause has the details.',
    },
    HOOK_TIMEOUT: {
      message: (p: { where: string; after: string }) => `${p.where} did not finish within ${p.after}`,
      hint: 'It was told to stop. Give it more time with `timeout`, or find out what it waits for.',
      retryable: true,
    },
    HOOK_ABANDONED: {
      message: (p: { where: string; grace: string }) =>
        `${p.where} ignored its abort signal for ${p.grace} and was left behind`,
      hint: 'The run went on without it. Make the hook listen to ctx.signal, or hand the signal to what it calls.',
    },
    NO_TARGETS: {
      message: (p: { plan: string }) => `plan "${p.plan}" found nothing to back up`,
      hint: 'Nothing was quiesced and nothing was backed up. Check the selectors; if nothing is a valid answer, set allowEmpty.',
    },
    ALL_TARGETS_SKIPPED: {
      message: (p: { plan: string }) => `every target of plan "${p.plan}" was skipped`,
      hint: 'Nothing was backed up. The reason is with each target; if that is a valid answer, set allowEmpty.',
    },
    TARGET_DUPLICATE: {
      message: (p: { target: string }) => `two targets have the id "${p.target}"`,
      hint: 'Nothing was backed up: restore points are kept by target id, so it must be unique. Give one plugin instance another name.',
    },
    RUN_ABORTED: {
      message: (p: { reason: string }) => `the run was aborted: ${p.reason}`,
      hint: 'What was quiesced has been given back. The next scheduled run backs up again.',
    },
    RUN_BUDGET: {
      message: (p: { budget: string }) => `the run did not finish within its budget of ${p.budget}`,
      hint: 'What was quiesced has been given back. Raise `budget`, or split the plan.',
    },
    PLAN_BUSY: {
      message: (p: { plan: string }) => `plan "${p.plan}" is already running`,
      hint: 'This run was skipped. Wait until the other one ends.',
      retryable: true,
    },
    // ---- undo and journal
    UNDO_NOT_REGISTERED: {
      message: (p: { undo: string; owner: string }) =>
        `"${p.owner}" armed the undo "${p.undo}", which it does not list`,
      hint: 'The effect did not happen. Add the undo to `undos`: only listed ones can run after a crash.',
    },
    UNDO_NOT_ARMED: {
      message: (p: { undo: string; reason: string }) => `the undo "${p.undo}" could not be written: ${p.reason}`,
      hint: 'The effect did not happen, because it might not have been taken back. Make the state directory writable.',
    },
    UNDO_INPUT: {
      message: (p: { undo: string; reason: string }) => `the input of undo "${p.undo}" is not valid: ${p.reason}`,
      hint: 'A pending undo whose input no longer fits is kept: run it with the version that armed it, or undo the effect by hand and remove it with `holdfast undo`.',
    },
    UNDO_FAILED: {
      message: (p: { undo: string; reason: string }) => `the undo "${p.undo}" did not succeed: ${p.reason}`,
      hint: 'Something may still be frozen, locked or paused. It stays pending and is tried again at the next start; `holdfast undo run` tries now.',
      retryable: true,
    },
    UNDO_TAKEN: {
      message: (p: { undo: string }) => `the undo "${p.undo}" was run by another process`,
      hint: 'The effect ended before this run was done with it, so what was backed up meanwhile does not count.',
    },
    UNDO_UNKNOWN: {
      message: (p: { undo: string; owner: string }) =>
        `nobody knows the pending undo "${p.undo}" of "${p.owner}" any more`,
      hint: 'Something may still be frozen, locked or paused. Bring the plugin back, or undo the effect by hand and remove it with `holdfast undo`.',
    },
    JOURNAL_NEWER: {
      message: (p: { path: string; found: number; known: number }) =>
        `the journal ${p.path} has schema ${p.found}; this version knows ${p.known}`,
      hint: 'Nothing was done. Run the newer version again, or give this one a state directory of its own.',
    },
    JOURNAL_UNWRITABLE: {
      message: (p: { path: string; reason: string }) => `the journal ${p.path} cannot be written: ${p.reason}`,
      hint: 'Nothing was done: without a journal an effect might never be taken back. Make the state directory writable, or name another with --state-dir.',
    },
    JOURNAL_CORRUPT: {
      message: (p: { path: string; movedTo: string }) =>
        `the journal ${p.path} was damaged and has been moved to ${p.movedTo}`,
      hint: 'Backups go on with a new journal; restore points come from the store. Undos that were pending are not known any more: check that nothing is left frozen, locked or paused.',
    },
    LOCK_BUSY: {
      message: (p: { lock: string; owner: string }) => `the lock "${p.lock}" is held by ${p.owner}`,
      hint: 'Wait until it is free, or give the lock a longer `wait`.',
      retryable: true,
    },
    SECRET_MISSING: {
      message: (p: { where: string }) => `the secret ${p.where} is not there`,
      hint: 'Set the variable or mount the file; it is read at each use.',
    },
  },
  'docs/errors.md',
)
