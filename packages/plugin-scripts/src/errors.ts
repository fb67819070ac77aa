import { defineErrors } from '@holdfast/sdk'

/**
 * Every error of this package. What makes a set of scripts refused (`SCRIPTS_…` for the set, `SCRIPT_…` for one file)
 * names the file and the fix.
 */
export const errors = defineErrors(
  {
    // ---- the set, refused by `validate`
    SCRIPTS_REFUSED: {
      message: (p: { path: string; count: number; list: string; fixes: string }) =>
        `${p.count} problems in ${p.path}: ${p.list}`,
      hint: (p) => `Nothing is backed up until they are fixed. ${p.fixes}`,
    },
    SCRIPTS_PATH_MISSING: {
      message: (p: { path: string }) => `the scripts directory ${p.path} is not there`,
      hint: 'Nothing can be backed up. Mount it, or name another: `path` of scripts(), -csp of fridge.',
    },
    SCRIPTS_EMPTY: {
      message: (p: { path: string }) => `there are no scripts in ${p.path}: none in backups, and none in maintain`,
      hint: 'Such a run would succeed and back up nothing. Put a script into backups; if something else in the plan does the backup, say scripts({ backups: false }).',
    },
    SCRIPTS_KIND_CHANGED: {
      message: (p: { path: string; now: string; before: string }) =>
        `${p.path} has become ${p.now}; the plan was loaded with ${p.before}`,
      hint: 'Nothing ran, because a plan that backs up and one that only maintains are different things to schedule and to watch. Restart Holdfast to take the scripts over as they are now.',
    },
    SCRIPTS_BACKUPS_OFF: {
      message: (p: { path: string }) =>
        `${p.path}/backups has scripts, but scripts({ backups: false }) never runs them`,
      hint: 'Remove `backups: false`, or the scripts.',
    },
    SCRIPTS_DIRECTORY_NAME: {
      message: (p: { directory: string; meant: string }) =>
        `${p.directory} is no hook's directory: did you mean ${p.meant}?`,
      hint: 'Its scripts would never run. Rename it to the hook, or to something that looks less like one.',
    },
    SCRIPTS_NOT_A_DIRECTORY: {
      message: (p: { path: string }) =>
        `${p.path} is a file, but a hook's scripts are files in a directory of its name`,
      hint: 'It would never run. Make a directory and move the file into it.',
    },
    SCRIPTS_UNREADABLE: {
      message: (p: { path: string; reason: string }) => `${p.path} cannot be read: ${p.reason}`,
      hint: "Its scripts would not run. Give it to the user that runs Holdfast, or open it with chmod; on the volume of a ConfigMap or Secret say defaultMode: 0755, for what is there is root's.",
    },
    SCRIPTS_VARIABLE_MISSING: {
      message: (p: { script: string; variable: string }) =>
        `${p.script} uses kubectlexec, which needs ${p.variable}, and that is not set`,
      hint: 'The command would fail. Set POD_NAME from the field metadata.name and TARGET_CONTAINER to the container to run commands in.',
    },
    // ---- one script, refused by `validate`
    SCRIPT_NOT_EXECUTABLE: {
      message: (p: { script: string }) => `${p.script} is not executable`,
      hint: (p) =>
        `It would not run. chmod +x ${p.script}, or set defaultMode: 0755 on the ConfigMap's volume. What is no script belongs into a directory of its own.`,
    },
    SCRIPT_BINARY_DENIED: {
      message: (p: { script: string }) => `${p.script} is a program that this user may not execute`,
      hint: "A script could be read by its interpreter, a program cannot. Give it to this user, or chmod a+rx it; on a ConfigMap's volume (0744 is for root alone) say defaultMode: 0755.",
    },
    SCRIPT_NO_SHEBANG: {
      message: (p: { script: string; reason: string }) => `${p.script} ${p.reason}`,
      hint: 'The system does not know what to run it with. Make #!/bin/sh or the like its first line, without anything before it.',
    },
    SCRIPT_CRLF: {
      message: (p: { script: string }) =>
        `${p.script} has Windows line ends: its first line ends with a carriage return`,
      hint: (p) => `The system would look for an interpreter with that in its name. Run: sed -i 's/\\r$//' ${p.script}`,
    },
    SCRIPT_INTERPRETER_MISSING: {
      message: (p: { script: string; interpreter: string }) => `${p.script} needs ${p.interpreter}, which is not there`,
      hint: (p) =>
        p.interpreter.includes(' ')
          ? 'The system hands everything after the program to it as one word. Write #!/usr/bin/env -S followed by the words.'
          : 'Install it in install_dependencies or in the image, or name another interpreter in the first line.',
    },
    SCRIPT_DANGLING: {
      message: (p: { script: string }) => `${p.script} is a link to nothing`,
      hint: 'Mend or remove the link. If a ConfigMap was just changed, the next run finds it whole.',
    },
    SCRIPT_UNDO_NOT_EXECUTABLE: {
      message: (p: { script: string }) => `the undo script ${p.script} is not executable`,
      hint: (p) => `What its script takes might never be given back. chmod +x ${p.script}, or set defaultMode: 0755.`,
    },
    SCRIPT_UNDO_TOO_LARGE: {
      message: (p: { script: string; size: number; limit: number }) =>
        `the undo script ${p.script} has ${p.size} bytes; an undo is kept in the journal and may have ${p.limit}`,
      hint: 'Let it call a program that is installed where it runs.',
    },
    SCRIPT_UNDO_UNUSABLE: {
      message: (p: { script: string }) => `${p.script} would never run: validate only checks and takes nothing`,
      hint: 'Move the script and its undo to before_backups.',
    },
    DRILL_SCRIPTS_EMPTY: {
      message: (p: { path: string }) => `there are no scripts in ${p.path}`,
      hint: 'Such a drill would succeed and prove nothing. Put a script there that exits with 0 only if what was restored is what it should be.',
    },
    DRILL_SCRIPT_UNDO: {
      message: (p: { script: string }) => `${p.script} would never run: a drill has no undos of its own`,
      hint: 'What a drill makes, its `cleanup` removes, whatever happens. Move it there.',
    },
    // ---- running
    SCRIPT_FAILED: {
      // sidefridge's words: on_error scripts get them as their argument and may match them.
      message: (p: { script: string; exitCode: number; missing?: string }) =>
        `Script '${p.script}' finished with exit code '${p.exitCode}'`,
      hint: (p) =>
        'Its output is in the log of this run. Unless it belongs to on_error or on_finish, the scripts after it do not run, what was taken is given back, and on_error runs.' +
        (p.missing === undefined
          ? ''
          : ` If it was to install packages: here that takes ${p.missing} in the container's securityContext. The Alpine variant of the image runs as root; an image of your own that has the packages takes neither.`),
    },
    SCRIPT_TIMEOUT: {
      message: (p: { script: string; after: string }) => `Script '${p.script}' did not finish within ${p.after}`,
      hint: 'It was ended with all that it had started. Give scripts a longer `timeout`, or find out what it waits for.',
      retryable: true,
    },
    SCRIPT_GONE: {
      message: (p: { script: string }) => `Script '${p.script}' was changed or removed while the run was going on`,
      hint: 'It did not run: old and new scripts are never mixed in one run. The next run takes the new one.',
    },
    // ---- artifacts
    SCRIPT_ARTIFACT_LOST: {
      message: (p: { script: string; artifact: string; reason: string }) =>
        `the artifact "${p.artifact}" of ${p.script} was not saved: ${p.reason}`,
      hint: 'Nothing of it was kept. save_artifact failed, or was killed; the script went on all the same, so its exit code does not count.',
    },
    SCRIPT_ARTIFACT_SOCKET: {
      message: (p: { reason: string }) => `scripts could not be given a socket for save_artifact: ${p.reason}`,
      hint: 'No backup script ran. A directory with a short path must be writable: the state directory, TMPDIR or /tmp.',
    },
    // ---- restore
    RESTORE_NO_DIRECTORY: {
      message: (p: { artifact: string }) => `where should "${p.artifact}" be restored to?`,
      hint: 'Nothing was touched. Say --to FILE or --to DIRECTORY/, or put a script into the restore directory.',
    },
  },
  'docs/errors.md',
)
