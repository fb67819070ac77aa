import { defineErrors } from '@holdfast/sdk'

/** Why a drill proves nothing. */
export const drillErrors = defineErrors(
  {
    DRILL_UNKNOWN: {
      message: (p: { drill: string; known: string }) => `there is no drill "${p.drill}"`,
      hint: (p) => `Nothing was restored. The configuration has: ${p.known}.`,
    },
    DRILL_DUPLICATE: {
      message: (p: { drill: string }) => `two drills are called "${p.drill}"`,
      hint: 'Nobody could tell which of them failed. Give one another name.',
    },
    DRILL_CODE_INVALID: {
      message: (p: { what: string; code: string; reason: string; suggestion?: string | undefined }) =>
        `${p.what}: ${p.code} can't be used: ${p.reason}`,
      hint: (p) =>
        `${p.suggestion ?? ''}The drill proves nothing without it. Give a function, a directory of scripts, one script, or a module whose default export is a function.`,
    },
    DRILL_OPTIONS: {
      message: (p: { drill: string; plugin: string; reason: string }) =>
        `drill "${p.drill}": "${p.plugin}" can't restore with its options: ${p.reason}`,
      hint: 'It would restore nothing. Give it the `options` that `holdfast restore --to key=value` takes; without any it says path={directory}.',
    },
    DRILL_BUSY: {
      message: (p: { drill: string }) => `drill "${p.drill}" is already running`,
      hint: 'This one was skipped. Wait until the other one ends.',
      retryable: true,
    },
    DRILL_NO_BACKUP: {
      message: (p: { drill: string; what: string }) => `drill "${p.drill}" has nothing to restore: ${p.what}`,
      hint: 'If you needed a backup now, there would be none. Find out why the plan makes none: `holdfast history`, `holdfast list`.',
    },
    DRILL_BACKUP_DAMAGED: {
      message: (p: { drill: string; point: string; reason: string }) =>
        `what drill "${p.drill}" should restore is damaged: ${p.reason.includes(p.point) ? '' : `${p.point}: `}${p.reason}`,
      hint: 'Nothing was restored. If you needed a backup now, it would have to be an older one: run the plan again soon, and check the disk.',
    },
    DRILL_BACKUP_GONE: {
      message: (p: { drill: string; point: string }) => `${p.point} was removed while drill "${p.drill}" restored it`,
      hint: 'Another installation, or a person, removed it: what this state directory prunes waits for its drills. It says nothing about the other backups: run the drill again.',
      retryable: true,
    },
    DRILL_SCRATCH: {
      message: (p: { directory: string; reason: string }) =>
        `the drill's directory ${p.directory} can't be made: ${p.reason}`,
      hint: 'Nothing was restored, so nothing is proven. Make the directory above it writable, or name another with `scratch`.',
    },
    DRILL_RESTORE_FAILED: {
      message: (p: { drill: string; point: string; reason: string }) =>
        `drill "${p.drill}" could not restore ${p.point}: ${p.reason}`,
      hint: 'Until a drill succeeds, nobody knows whether the backups of this plan can be restored. The error is what the plugin threw; its cause has the details.',
    },
    DRILL_TIMEOUT: {
      message: (p: { drill: string; step: string; after: string }) =>
        `${p.step} of drill "${p.drill}" did not finish within ${p.after}`,
      hint: (p) =>
        `It was told to stop, and nothing is proven. Find out what it waits for, or give it more time with \`timeouts: { ${p.step} }\`.`,
      retryable: true,
    },
    DRILL_EXPECTATION: {
      message: (p: { drill: string; point: string; reason: string }) =>
        `what drill "${p.drill}" restored of ${p.point} is not as expected: ${p.reason}`,
      hint: 'It could be restored, but what came back is not what the drill asks for: do not count on this backup. `holdfast restore` brings it back for you to look at.',
    },
  },
  'docs/errors.md',
)
