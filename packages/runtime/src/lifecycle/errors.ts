import { defineErrors } from '@holdfast/sdk'

/** Why a run, a hook or a target fails. */
export const lifecycleErrors = defineErrors(
  {
    HOOK_FAILED: {
      message: (p: { where: string; reason: string }) => `${p.where} failed: ${p.reason}`,
      hint: 'What it was to do is not done, or not all of it, and counts as no backup. The error is the one that the hook threw; its cause has the details, and `--log-level debug` shows where in the code of the hook.',
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
    HOOK_OVER: {
      message: () => 'the hook that began it is over',
      hint: 'Nothing of it was kept. Put `await` before createArtifact or exec, and before whatever calls it.',
    },
    UNDO_NOT_AWAITED: {
      message: (p: { undo: string }) => `the hook did not wait until the undo "${p.undo}" was armed`,
      hint: 'What it takes back may have been done before it was on record: after a crash it would have stayed so. This time it was taken back. Put `await` before undo.arm, and before whatever calls it.',
    },
    EXEC_NOT_AWAITED: {
      message: (p: { command: string }) => `the hook did not wait for ${p.command}, which it had started`,
      hint: 'It was waited for before the hook counted as over; what the hook did meanwhile may have been too early. Put `await` before exec, and before whatever calls it. What is to go on beside the hook takes a `signal` of its own, and ends by it.',
    },
    EXEC_LEFT_RUNNING: {
      message: (p: { command: string }) => `${p.command} still ran when all that its hook had taken was given back`,
      hint: 'It was ended. Abort its `signal`, or end its session, in the hook or in what it hands to `defer`.',
    },
    NO_TARGETS: {
      message: (p: { plan: string }) => `plan "${p.plan}" found nothing to back up`,
      hint: 'Nothing was quiesced and nothing was backed up. Check the selectors; if nothing is a valid answer, set allowEmpty.',
    },
    ALL_TARGETS_SKIPPED: {
      message: (p: { plan: string }) => `every target of plan "${p.plan}" was skipped`,
      hint: 'Nothing was backed up. The reason is with each target; if that is a valid answer, set allowEmpty.',
    },
    TARGET_INVALID: {
      message: (p: { plugin: string; reason: string }) => `"${p.plugin}" found a target ${p.reason}`,
      hint: 'Nothing was backed up: restore points are kept by the id of a target, for years. This is a mistake in the plugin: each target is { id, labels, data }, with a text as its id.',
    },
    TARGET_DUPLICATE: {
      message: (p: { target: string }) => `two targets have the id "${p.target}"`,
      hint: 'Nothing was backed up: restore points are kept by target id, so it must be unique. Give one plugin instance another name.',
    },
    TARGET_UNKNOWN: {
      message: (p: { target: string; plan: string; known: string }) => `plan "${p.plan}" has no target "${p.target}"`,
      hint: (p) => `Nothing was backed up. Its targets are: ${p.known}.`,
    },
    TARGET_SUSPECT: {
      message: (p: { target: string }) => `the backup of "${p.target}" is much smaller than usual`,
      hint: 'It was stored, and nothing of this target is pruned. If the size is right, `holdfast accept` it.',
    },
    RUN_ABORTED: {
      message: (p: { reason: string }) => `the run was aborted: ${p.reason}`,
      hint: 'What was quiesced is given back; `holdfast undo list` has what could not be. The next scheduled run backs up again.',
    },
    RUN_BUDGET: {
      message: (p: { budget: string }) => `the run did not finish within its budget of ${p.budget}`,
      hint: 'It was ended there, and what it had not finished counts as no backup. What was quiesced is given back; `holdfast undo list` has what could not be. `holdfast history` says which hook took so long: find out what it waited for, raise `budget`, or split the plan.',
    },
    PLAN_UNKNOWN: {
      message: (p: { plan: string; known: string }) => `there is no plan "${p.plan}"`,
      hint: (p) => `Nothing was run. The configuration has: ${p.known}.`,
    },
    PLAN_BUSY: {
      message: (p: { plan: string }) => `plan "${p.plan}" is already running`,
      hint: 'This run was skipped. Wait until the other one ends.',
      retryable: true,
    },
  },
  'docs/errors.md',
)
