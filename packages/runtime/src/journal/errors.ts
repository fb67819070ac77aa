import { defineErrors } from '@holdfast/sdk'

/** Undos, and the state directory that remembers them. */
export const undoErrors = defineErrors(
  {
    UNDO_NOT_REGISTERED: {
      message: (p: { undo: string; owner: string }) =>
        `"${p.owner}" armed the undo "${p.undo}", which it does not list`,
      hint: 'The effect did not happen. Add the undo to `undos`: only listed ones can run after a crash.',
    },
    UNDO_NOT_ARMED: {
      message: (p: { undo: string; reason: string }) => `the undo "${p.undo}" could not be written: ${p.reason}`,
      hint: 'The effect did not happen, because it might not have been taken back. Make writable what the message names: the state directory, or ConfigMaps in the cluster (`undoMirror: off` does without them).',
    },
    UNDO_INPUT_REFUSED: {
      message: (p: { undo: string; owner: string; reason: string }) =>
        `"${p.owner}" armed the undo "${p.undo}" with what it does not take: ${p.reason}`,
      hint: 'The effect did not happen, because it could not have been taken back. This is a mistake in the hook or plugin: it arms an undo with JSON that the `input` of the undo takes.',
    },
    UNDO_INPUT: {
      message: (p: { undo: string; reason: string }) => `the input of undo "${p.undo}" is not valid: ${p.reason}`,
      hint: 'A pending undo whose input no longer fits is kept: run it with the version that armed it, or undo the effect by hand and remove it with `holdfast undo drop`.',
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
    FREEZE_SELF: {
      message: (p: { path: string; what: string }) => `${p.path} is on the filesystem that holds ${p.what}`,
      hint: 'It was not frozen: Holdfast writes there itself, and could never have thawed it. Put it on another filesystem.',
    },
    UNDO_UNKNOWN: {
      message: (p: { undo: string; owner: string }) =>
        `nobody knows the pending undo "${p.undo}" of "${p.owner}" any more`,
      hint: 'Something may still be frozen, locked or paused. Bring the plugin back, or undo the effect by hand and remove it with `holdfast undo drop`.',
    },
    JOURNAL_NEWER: {
      message: (p: { path: string; found: number; known: number }) =>
        `the journal ${p.path} has schema ${p.found}; this version knows ${p.known}`,
      hint: 'Nothing was done. Run the newer version again, or give this one a state directory of its own.',
    },
    JOURNAL_UNWRITABLE: {
      message: (p: { path: string; reason: string }) => `the journal ${p.path} cannot be written: ${p.reason}`,
      hint: 'Nothing was done: without a journal an effect might never be taken back. Make the state directory writable (in a pod, fsGroup: 1000 does that for volumes), or name another with --state-dir.',
    },
    JOURNAL_READ_ONLY: {
      message: (p: { path: string; reason: string }) => `the journal ${p.path} can only be read: ${p.reason}`,
      hint: 'What dead runs had taken is given back all the same, but no run begins until it can be written: make room in the state directory. What was given back is remembered by this process until then; another start before that gives it back once more.',
      retryable: true,
    },
    JOURNAL_CORRUPT: {
      message: (p: { path: string; movedTo: string }) =>
        `the journal ${p.path} was damaged and has been moved to ${p.movedTo}`,
      hint: 'Backups go on with a new journal; restore points come from the store. Undos that were pending are not known any more: check that nothing is left frozen, locked or paused.',
    },
    STATE_UNWRITABLE: {
      message: (p: { path: string; reason: string }) => `${p.path} cannot be written: ${p.reason}`,
      hint: 'The run did nothing: without its journal, locks and variables an effect might never be taken back. Make room, or make the state directory writable.',
      retryable: true,
    },
    STATE_NOT_DURABLE: {
      message: (p: { path: string }) => `the state directory ${p.path} is on the container's own layer`,
      hint: 'Armed undos do not survive a restart of the container: what is frozen then stays frozen. Mount an emptyDir or a PVC there.',
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
