import { defineErrors } from '@holdfast/sdk'
import { formatBytes } from './format-bytes.ts'

/**
 * Every error of the engine. Codes are permanent; `docs/errors.md` is generated from here. A message says what happened
 * in one line; a hint says what it means for the backups and what to do.
 */
export const errors = defineErrors(
  {
    // ---- lifecycle
    HOOK_FAILED: {
      message: (p: { where: string; reason: string }) => `${p.where} failed: ${p.reason}`,
      hint: 'What it was to do is not done, or not all of it, and counts as no backup. The error is the one that the hook threw; its cause has the details.',
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
      hint: 'What was quiesced has been given back. The next scheduled run backs up again.',
    },
    RUN_BUDGET: {
      message: (p: { budget: string }) => `the run did not finish within its budget of ${p.budget}`,
      hint: 'What was quiesced has been given back. Raise `budget`, or split the plan.',
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
    // ---- configuration and plugins
    CONFIG_INVALID: {
      message: (p: { source: string; count: number; first: string }) =>
        p.count === 1 ? p.first : `${p.source} has ${p.count} problems; the first: ${p.first}`,
      hint: 'Nothing of it runs, so nothing is backed up by it; a configuration that was in force stays in force. `holdfast validate` prints every problem with what to do.',
    },
    CONFIG_NOT_FOUND: {
      message: (p: { searched: string }) => `there is no configuration in ${p.searched}`,
      hint: 'Nothing is backed up. Write holdfast.config.ts or holdfast.yaml there, name a file with --config, or set CRON_BACKUP_SCHEDULE for script directories.',
    },
    CONFIG_UNREADABLE: {
      message: (p: { file: string; reason: string }) => `${p.file} can't be read: ${p.reason}`,
      hint: 'Nothing of it runs. Check the path, the mount and the permissions.',
    },
    CONFIG_FORM_UNKNOWN: {
      message: (p: { file: string }) => `${p.file} has a name that says nothing about its form`,
      hint: 'Call it *.ts, *.mts, *.js, *.mjs, *.yaml, *.yml, crontab or *.crontab.',
    },
    CONFIG_SYNTAX: {
      message: (p: { reason: string; fix?: string | undefined }) => p.reason,
      hint: (p) => p.fix ?? 'Nothing of the file is used until it can be read.',
    },
    CONFIG_EXPORT: {
      message: (p: { found: string }) => `the file exports ${p.found}, not a configuration`,
      hint: 'Write `export default defineConfig({ plans: [ … ] })`.',
    },
    CONFIG_UNKNOWN_KEY: {
      message: (p: { key: string; parent: string; suggestion: string; known: string }) =>
        `unknown key "${p.key}"${p.parent === '' ? '' : ` in ${p.parent}`}`,
      hint: (p) => `${p.suggestion}${p.known === '' ? 'It is not used by anything.' : `Known here: ${p.known}.`}`,
    },
    CONFIG_VALUE: {
      message: (p: { path: string; reason: string; fix?: string | undefined }) => `${p.path} ${p.reason}`,
      hint: (p) => p.fix ?? 'Nothing of this configuration runs until it is right.',
    },
    CONFIG_INTERPOLATION: {
      message: (p: { path: string; text: string }) => `${p.path} contains ${p.text}, which is taken literally`,
      hint: 'Nothing is interpolated. Give a secret as { env: NAME } or { file: PATH }; for computed values use holdfast.config.ts.',
    },
    CONFIG_IGNORED: {
      message: (p: { file: string; other: string }) => `${p.other} is not used: ${p.file} wins`,
      hint: 'Remove the one that is not meant, or name the other with --config.',
    },
    SETTING_UNUSED: {
      message: (p: { setting: string; plan: string }) =>
        `"${p.setting}" of plan "${p.plan}" has no effect: the plan backs nothing up`,
      hint: 'A plan without a `backups` hook is a maintenance plan. Remove the setting, or add what backs up.',
    },
    HOOK_NEVER_RUNS: {
      message: (p: { hook: string; of: string; reason: string }) => `${p.hook} of ${p.of} never runs: ${p.reason}`,
      hint: 'Nothing that it should do is done. See the lifecycle table for when each hook runs.',
    },
    NAME_INVALID: {
      message: (p: { what: string; name: string; suggestion: string; rule: string }) =>
        `${p.what} can't be called "${p.name}"`,
      hint: (p) => `${p.suggestion}Names are keys in the store, labels in metrics and names of objects: ${p.rule}.`,
    },
    PLAN_DUPLICATE: {
      message: (p: { plan: string }) => `two plans are called "${p.plan}"`,
      hint: 'Their backups would be pruned as one. Give one another name.',
    },
    PLAN_EMPTY: {
      message: (p: { plan: string }) => `plan "${p.plan}" would do nothing`,
      hint: 'Nothing that it uses has a `backups` hook (or `maintain`, for a maintenance plan). Add a plugin or a hook module that has.',
    },
    PARTICIPANT_DUPLICATE: {
      message: (p: { name: string; plan: string; first: string; second: string }) =>
        `plan "${p.plan}" uses two things called "${p.name}"${p.first === p.second ? '' : `: ${p.first} and ${p.second}`}`,
      hint: 'Backups are kept by that name, so it must be unique. Give one a name: plugin(options, { name }), defineHook(…, { name }), or `name:` beside it in YAML.',
    },
    MODULE_NOT_FOUND: {
      message: (p: { module: string; from: string; suggestion?: string | undefined }) =>
        `"${p.module}" was not found from ${p.from}`,
      hint: (p) =>
        `${p.suggestion ?? ''}A file is named with ./ and its extension, relative to the file that names it; a package must be installed beside it or be part of the image.`,
    },
    MODULE_FAILED: {
      message: (p: { module: string; reason: string }) => `loading ${p.module} failed: ${p.reason}`,
      hint: 'Nothing that needs it runs. The fault is in the code of the module, at the place that is named, or in what it imports.',
    },
    EXPORT_MISSING: {
      message: (p: { module: string; export: string; exports: string; suggestion: string }) =>
        `${p.module} has no export "${p.export}"`,
      hint: (p) => `${p.suggestion}It exports ${p.exports}.`,
    },
    PLUGIN_INCOMPATIBLE: {
      message: (p: { what: string; reason: string }) => `${p.what} can't be used: ${p.reason}`,
      hint: 'A plan uses what definePlugin and defineHook of this major version made. Call the plugin with its options, or install a version that fits.',
    },
    PLUGIN_SDK_MISMATCH: {
      message: (p: { plugin: string; range: string; version: string }) =>
        `plugin "${p.plugin}" was built for SDK ${p.range}; this is ${p.version}`,
      hint: 'It is not loaded, because it might back up less than it says. Install a version of the plugin, or of Holdfast, that fits.',
    },
    PLUGIN_OPTIONS_INVALID: {
      message: (p: { plugin: string; path: string; reason: string; suggestion?: string | undefined }) =>
        `plugin "${p.plugin}": ${p.path} ${p.reason}`,
      hint: (p) => `${p.suggestion ?? ''}The plugin says what its options must be; it does not run with others.`,
    },
    HOOK_UNKNOWN: {
      message: (p: { hook: string; of: string; suggestion: string; known: string }) =>
        `"${p.hook}" of ${p.of} is no hook`,
      hint: (p) => `${p.suggestion}It would never run. Hooks: ${p.known}.`,
    },
    HOOK_MODULE_INVALID: {
      message: (p: { module: string; found: string; fix?: string | undefined }) =>
        `${p.module} exports ${p.found}, not a hook`,
      hint: (p) => p.fix ?? "Write `export default defineHook('backups', async (ctx) => { … })`.",
    },
    HOOK_ENTRY_INVALID: {
      message: (p: { hook: string; of: string; reason: string; suggestion?: string | undefined }) =>
        `${p.hook} of ${p.of}: ${p.reason}`,
      hint: (p) =>
        `${p.suggestion ?? ''}A hook is a function, or { handler, order, timeout, retry } with order 'pre' or 'post'.`,
    },
    UNDO_INVALID: {
      message: (p: { undo: string; of: string; reason: string }) => `undo "${p.undo}" of ${p.of}: ${p.reason}`,
      hint: 'Undos are made by defineUndo({ name, input, deadline, run }) and their names are unique, because they run by name after a crash.',
    },
    STORAGE_INVALID: {
      message: (p: { reason: string }) => `the store can't be used: ${p.reason}`,
      hint: 'Nothing can be stored without it. Give a URL (file:///path, s3://bucket/prefix), or module#export of a storage driver with its options.',
    },
    RECIPIENT_INVALID: {
      message: (p: { path: string; reason: string }) => `${p.path} is not an age recipient: ${p.reason}`,
      hint: 'Backups would fail, or nobody could read them. Recipients are public keys (age1…), as age-keygen -y prints them; keep the secret key out of the configuration.',
    },
    COMMAND_UNKNOWN: {
      message: (p: { plugin: string; command: string; known: string }) =>
        `"${p.plugin}" has no command "${p.command}" (it has: ${p.known})`,
      hint: 'Nothing was done. `holdfast PLUGIN --help` lists the commands of a plugin of the configuration.',
    },
    // ---- restore
    RESTORE_UNSUPPORTED: {
      message: (p: { plugin: string }) => `"${p.plugin}" does not say how to restore`,
      hint: 'Nothing was touched. Restore its artifacts as files: `holdfast restore --bytes`.',
    },
    RESTORE_OPTIONS: {
      message: (p: { plugin: string; reason: string }) => `"${p.plugin}" can't restore with these options: ${p.reason}`,
      hint: 'Nothing was touched. Options are given as --to key=value; a plain --to PLACE is short for --to path=PLACE.',
    },
    RESTORE_EXISTS: {
      message: (p: { path: string }) => `${p.path} is there already`,
      hint: 'It was not touched. Name another place with --to, or overwrite it with --force.',
    },
    RESTORE_SPACE: {
      message: (p: { path: string; free: number; needed: number }) =>
        `there is not enough room in ${p.path}: ${formatBytes(p.free)} are free, and ${formatBytes(p.needed)} are needed`,
      hint: 'Nothing was touched. Make room, or name a place on another disk with --to. --ignore-space tries it all the same, where the file system compresses what it holds.',
    },
    RESTORE_UNWRITABLE: {
      message: (p: { path: string; reason: string }) => `${p.path} can't be written: ${p.reason}`,
      hint: 'What was there before is untouched. Name another place with --to, or make this one writable and give it enough space.',
    },
    RESTORE_UNREAD: {
      message: (p: { artifact: string; plugin: string }) => `"${p.plugin}" did not read all of ${p.artifact}`,
      hint: 'It says that it is done, so what it needed is restored; the rest was not compared with its SHA-256. `holdfast verify` reads the whole artifact.',
    },
    // ---- drills
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
        `what drill "${p.drill}" should restore is damaged: ${p.point}: ${p.reason}`,
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
    // ---- undo and journal
    UNDO_NOT_REGISTERED: {
      message: (p: { undo: string; owner: string }) =>
        `"${p.owner}" armed the undo "${p.undo}", which it does not list`,
      hint: 'The effect did not happen. Add the undo to `undos`: only listed ones can run after a crash.',
    },
    UNDO_NOT_ARMED: {
      message: (p: { undo: string; reason: string }) => `the undo "${p.undo}" could not be written: ${p.reason}`,
      hint: 'The effect did not happen, because it might not have been taken back. Make writable what the message names: the state directory, or ConfigMaps in the cluster (`undoMirror: off` does without them).',
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
    // ---- notifications
    NOTIFIER_INVALID: {
      message: (p: { what: string; reason: string }) => `${p.what} is no notifier: ${p.reason}`,
      hint: 'Nobody would be told by it. Use webhook, slack, email or ping, or what defineNotifier made, called with its options.',
    },
    NOTIFIER_OPTIONS: {
      message: (p: { notifier: string; reason: string; suggestion?: string | undefined }) =>
        `notifier "${p.notifier}": ${p.reason}`,
      hint: (p) =>
        `${p.suggestion ?? ''}Nobody would be told by it. What each of them takes is in docs/notifications.md.`,
    },
    NOTIFIER_DUPLICATE: {
      message: (p: { name: string }) => `two notifiers of the same list are called "${p.name}"`,
      hint: 'Metrics and the log could not tell them apart. Give one another `name`.',
    },
    NOTIFIER_SHARED: {
      message: (p: { name: string; sharing: string }) => `the check of "${p.name}" is one for all of: ${p.sharing}`,
      hint: "The success of one hides the failure of another. Add path: '{name}', so that each has a check of its own, or give each its own `notify`.",
    },
    NOTIFY_FAILED: {
      message: (p: { sink: string; subject: string; reason: string }) =>
        `"${p.sink}" could not be told that ${p.subject}: ${p.reason}`,
      hint: (p) =>
        `The run is as it was, only nobody heard of it there. \`holdfast notify test ${p.sink}\` tries it again.`,
    },
    NOTIFY_UNREACHABLE: {
      message: (p: { host: string; reason: string }) => `${p.host} could not be told: ${p.reason}`,
      hint: 'It is tried again. Look at the network, or at the service.',
      retryable: true,
    },
    NOTIFY_REFUSED: {
      message: (p: { reason: string }) => p.reason,
      hint: 'Trying again would not help. Look at the address, the key or the certificate.',
    },
    // ---- metrics
    METRICS_NOT_PUSHED: {
      message: (p: { gateway: string; reason: string }) =>
        `metrics did not get to the Pushgateway ${p.gateway}: ${p.reason}`,
      hint: 'Backups go on and are not affected. Until a push succeeds, the Pushgateway shows what was before: do not take its numbers for new ones.',
      retryable: true,
    },
    // ---- exec
    EXEC_FAILED: {
      message: (p: { command: string; exitCode: number; stderrTail: string }) =>
        `${p.command} failed with exit code ${p.exitCode}${said(p.stderrTail)}`,
      hint: (p) => exitCodeHint(p.exitCode),
    },
    EXEC_SIGNAL: {
      message: (p: { command: string; signal: string; stderrTail: string }) =>
        `${p.command} was killed by ${p.signal}${said(p.stderrTail)}`,
      hint: (p) => signalHint(p.signal),
    },
    EXEC_TIMEOUT: {
      message: (p: { command: string; after: string; stderrTail: string }) =>
        `${p.command} did not finish within ${p.after} and was stopped${said(p.stderrTail)}`,
      hint: 'What it was doing is unfinished. Give it more time with `timeout`, or find out what it waits for.',
      retryable: true,
    },
    EXEC_IDLE: {
      message: (p: { command: string; after: string; stderrTail: string }) =>
        `${p.command} printed nothing for ${p.after} and was stopped${said(p.stderrTail)}`,
      hint: 'What it was doing is unfinished. Find out what it waits for; if it is silent for so long by nature, raise `idleTimeout`.',
      retryable: true,
    },
    EXEC_ABORTED: {
      message: (p: { command: string; reason: string; stderrTail: string }) => `${p.command} was stopped: ${p.reason}`,
      hint: 'What it was doing is unfinished. The reason is that of the run or hook it belonged to.',
    },
    EXEC_NOT_FOUND: {
      message: (p: { command: string; missing: string }) => `${p.command} cannot be started: ${p.missing}`,
      hint: 'Nothing was run. Install what is missing, or correct the path; names without a slash are looked up in PATH.',
    },
    EXEC_NOT_EXECUTABLE: {
      message: (p: { command: string; reason: string }) => `${p.command} cannot be started: ${p.reason}`,
      hint: 'Nothing was run. Make it executable (chmod +x; in a ConfigMap volume defaultMode: 0755).',
    },
    EXEC_FORMAT: {
      message: (p: { command: string; reason: string }) => `${p.command} cannot be started: ${p.reason}`,
      hint: 'Nothing was run. Begin a script with #! and its interpreter, such as #!/bin/sh; a program must be built for this machine.',
    },
    EXEC_START: {
      message: (p: { command: string; reason: string }) => `${p.command} cannot be started: ${p.reason}`,
      hint: 'Nothing was run. The machine refused: too many processes or open files, no memory, or arguments that are too long.',
      retryable: true,
    },
    EXEC_REQUEST: {
      message: (p: { command: string; reason: string }) => `${p.command} was not started: ${p.reason}`,
      hint: 'Nothing was run. This is a mistake in the hook or plugin that asked for it.',
    },
    EXEC_SECRET_IN_ARGV: {
      message: (p: { command: string; position: number }) =>
        `${p.command} was not started: its argument ${p.position} holds a secret`,
      hint: 'Nothing was run. Everybody on the machine can read arguments: pass the secret by `env` or `stdin`, or in a file.',
    },
    EXEC_SINK: {
      message: (p: { command: string; from: string; reason: string; stderrTail: string }) =>
        `the ${p.from} of ${p.command} could not be taken: ${p.reason}`,
      hint: 'The command was stopped and its output does not count. The cause says who failed.',
    },
    EXEC_STDIN: {
      message: (p: { command: string; reason: string; stderrTail: string }) =>
        `the input of ${p.command} failed: ${p.reason}`,
      hint: 'The command was stopped before it could take a part for the whole. The cause says what failed.',
    },
    EXEC_INCOMPLETE: {
      message: (p: { command: string; stderrTail: string }) =>
        `${p.command} ended, but another process still holds its output open`,
      hint: 'Whether all bytes arrived cannot be known, so they do not count. Make the command wait for what it starts in the background.',
    },
    EXEC_OUTPUT_TOO_LARGE: {
      message: (p: { command: string; limit: string; stderrTail: string }) =>
        `${p.command} printed more than ${p.limit}`,
      hint: 'It was stopped: output kept as text must stay small. Give `stdout` a sink, or set it to "log".',
    },
    EXEC_NO_LINE: {
      message: (p: { command: string; reason: string }) => `${p.command} did not print the awaited line: ${p.reason}`,
      hint: 'What it was asked to do may not have happened. Its output and its end say more.',
    },
    EXEC_NO_CLUSTER: {
      message: (p: { where: string }) => `no command can be run in ${p.where}: there is no access to a cluster`,
      hint: 'Nothing was run. Commands in containers need Kubernetes and a service account that may exec.',
    },
    EXEC_NO_POD: {
      message: (p: { command: string; reason: string }) => `${p.command} was not started: ${p.reason}`,
      hint: 'Nothing was run. Check the name or the selector, and the namespace; a pod that was replaced has another name.',
    },
    EXEC_MANY_PODS: {
      message: (p: { command: string; selector: string; found: string }) =>
        `${p.command} was not started: ${p.selector} matches more than one running pod: ${p.found}`,
      hint: 'Nothing was run. Which of them is meant is not guessed: name the pod, or add labels until one is left.',
    },
    EXEC_NO_CONTAINER: {
      message: (p: { command: string; reason: string }) => `${p.command} was not started: ${p.reason}`,
      hint: 'Nothing was run. Correct the name of the container.',
    },
    EXEC_NOT_RUNNING: {
      message: (p: { command: string; reason: string }) => `${p.command} was not started: ${p.reason}`,
      hint: 'Nothing was run. A command needs a container that runs: find out why this one does not (kubectl describe pod), and try again.',
      retryable: true,
    },
    EXEC_NO_SHELL: {
      message: (p: { command: string; wanted: string; reason: string }) =>
        `${p.command} was not started: ${p.wanted} needs /bin/sh in the container: ${p.reason}`,
      hint: 'Nothing was run. Use an image with a shell, or do without: no env, no cwd, and integrity "status".',
    },
    EXEC_NO_TOOL: {
      message: (p: { command: string; tool: string; wanted: string }) =>
        `${p.command} was not started: ${p.wanted} needs ${p.tool}, which its container does not have`,
      hint: 'Nothing was run. Install it in the image, or ask for less: integrity "bytes" needs tee and wc, "sha256" tee and sha256sum.',
    },
    EXEC_NO_HALF_CLOSE: {
      message: (p: { command: string; reason: string }) =>
        `${p.command} was not started: the cluster cannot pass on the end of its input: ${p.reason}`,
      hint: 'Nothing was run: the command would have lost what it prints after the end. Input needs v5.channel.k8s.io, which API servers speak from Kubernetes 1.30 on; put the input into a file in the container instead.',
    },
    EXEC_FORBIDDEN: {
      message: (p: { command: string; verb: string; what: string; rule: string; said: string }) =>
        `${p.command} was not started: the API server does not allow to ${p.verb} ${p.what}`,
      hint: (p) =>
        `Nothing was run. Whoever Holdfast runs as needs this rule: ${p.rule}. If it has that, an admission policy says no: ${p.said}`,
    },
    EXEC_UNAUTHORIZED: {
      message: (p: { command: string; source: string }) =>
        `${p.command} was not started: the API server does not know ${p.source}`,
      hint: 'Nothing was run. The token or certificate is expired, revoked, or of another cluster; it was read again before this was said.',
      retryable: true,
    },
    EXEC_REFUSED: {
      message: (p: { command: string; status: number; said: string }) =>
        `${p.command} was not started: the API server refused it (HTTP ${p.status}): ${p.said}`,
      hint: "Nothing was run. The message is the server's own, or that of a proxy before it; 431 and 414 mean that the arguments are too long for it.",
    },
    EXEC_UNREACHABLE: {
      message: (p: { command: string; reason: string }) => `${p.command} was not started: ${p.reason}`,
      hint: 'It was tried again until the time for it was up. Nothing was run, unless the connection was lost just when a command without a shell was started. Backups in containers fail while this lasts.',
      retryable: true,
    },
    EXEC_LOST: {
      message: (p: { command: string; reason: string; stderrTail: string }) =>
        `the connection to ${p.command} was lost before it was known how it ended: ${p.reason}`,
      hint: 'Its output does not count. `remote` in the details says whether it could be ended in its container.',
      retryable: true,
    },
    EXEC_TRUNCATED: {
      message: (p: { command: string; reason: string; stderrTail: string }) =>
        `the output of ${p.command} did not arrive whole: ${p.reason}`,
      hint: 'Whatever its exit code, what arrived is not what it wrote, so it does not count. Try again; if it comes again, look for what cuts connections between here and the node. Of a command with input the API server loses the end when its output is taken slowly (kubernetes#124571): hand the input over by `env` or in a file, then it can wait.',
      retryable: true,
    },
    EXEC_UNPROVEN: {
      message: (p: { command: string; stderrTail: string }) =>
        `whether the output of ${p.command} arrived whole cannot be known: it came faster than it was taken, and its container has no shell that could tell`,
      hint: 'The API server loses the end of such output at times and says that all is well (kubernetes#124571), so it does not count. Use an image with /bin/sh; or let the command write to a volume, and back that up.',
      retryable: true,
    },
    EXEC_STATUS: {
      message: (p: { command: string; reason: string; stderrTail: string }) =>
        `it is not known how ${p.command} ended: ${p.reason}`,
      hint: 'Its output does not count. The cluster answered with something else than an exit code; the message is its own.',
      retryable: true,
    },
    // ---- kubernetes
    KUBECONFIG_INVALID: {
      message: (p: { source: string; reason: string }) => `the cluster of ${p.source} can't be used: ${p.reason}`,
      hint: 'Nothing that needs the Kubernetes API works. Correct the file, or unset KUBECONFIG; in a pod the service account is used.',
    },
    KUBERNETES_FORBIDDEN: {
      message: (p: { verb: string; what: string; rule: string }) =>
        `the API server does not allow to ${p.verb} ${p.what}`,
      hint: (p) =>
        `Nothing was done there. Whoever Holdfast runs as needs this rule: ${p.rule}. \`holdfast generate rbac\` prints all that the configuration needs.`,
    },
    KUBERNETES_UNAUTHORIZED: {
      message: (p: { verb: string; what: string; source: string }) =>
        `the API server does not know ${p.source}: it refused to ${p.verb} ${p.what}`,
      hint: 'Nothing was done there. The token or certificate is expired, revoked, or of another cluster; it was read again before this was said.',
      retryable: true,
    },
    KUBERNETES_NOT_FOUND: {
      message: (p: { verb: string; what: string }) => `the API server has no ${p.what} to ${p.verb}`,
      hint: 'Nothing was done there. Check the name and the namespace.',
    },
    KUBERNETES_CONFLICT: {
      message: (p: { verb: string; what: string; reason: string }) => `can't ${p.verb} ${p.what}: ${p.reason}`,
      hint: 'Nothing was done there. Somebody else made or changed it meanwhile; what is there now must be looked at first.',
    },
    KUBERNETES_EXPIRED: {
      message: (p: { verb: string; what: string }) =>
        `the API server has forgotten the version of ${p.what} that was asked for`,
      hint: 'It must be listed anew. If this comes again and again, the API server is overloaded.',
      retryable: true,
    },
    KUBERNETES_INVALID: {
      message: (p: { verb: string; what: string; status: number; reason: string }) =>
        `the API server refused to ${p.verb} ${p.what}: ${p.reason}`,
      hint: "Nothing was done there. The message is the API server's own; it says what is wrong with what was sent.",
    },
    KUBERNETES_UNAVAILABLE: {
      message: (p: { verb: string; what: string; server: string; reason: string }) =>
        `the API server ${p.server} did not ${p.verb} ${p.what}: ${p.reason}`,
      hint: 'Reading was tried again until its time was up; of a change it is not known whether it happened. Backups that need the API fail while this lasts.',
      retryable: true,
    },
    KUBERNETES_TIMEOUT: {
      message: (p: { verb: string; what: string; server: string; after: string }) =>
        `the API server ${p.server} did not ${p.verb} ${p.what} within ${p.after}`,
      hint: 'Of a change it is not known whether it happened. The API server is overloaded, or the network between drops packets.',
      retryable: true,
    },
    KUBERNETES_NAME_INVALID: {
      message: (p: { name: string }) => `"${p.name}" is no name: no object or namespace can be called that`,
      hint: 'Nothing was sent: the API server would have taken it for something else, such as all objects of the type. This is a mistake in the hook or plugin, or an empty variable.',
    },
    KUBERNETES_TYPE_UNKNOWN: {
      message: (p: { type: string }) => `the API server has no resource "${p.type}"`,
      hint: 'Write it as kubectl does, in the plural and with its group: `pods`, `leases.coordination.k8s.io`. Is its CustomResourceDefinition installed?',
    },
    PERMISSION_MISSING: {
      message: (p: { verbs: string; what: string; owner: string; rule: string }) =>
        `${p.owner} may not ${p.verbs} ${p.what}`,
      hint: (p) =>
        `What needs it will fail. Grant this rule: ${p.rule}. \`holdfast generate rbac\` prints all that the configuration needs.`,
    },
    // ---- schedules
    CRON_INVALID: {
      message: (p: { expression: string; reason: string }) => `"${p.expression}" is not a cron expression: ${p.reason}`,
      hint: (p: { allowed: string; field?: number }) => `Nothing is scheduled until this is corrected. ${p.allowed}`,
    },
    CRON_NEVER: {
      message: (p: { expression: string }) => `the schedule "${p.expression}" never fires: no such day exists`,
      hint: 'No backup would ever run. Check the day of the month against the month.',
    },
    TIME_ZONE_UNKNOWN: {
      message: (p: { zone: string }) => `the time zone "${p.zone}" is not known`,
      hint: (p: { meant?: string; tzdataMissing: boolean }) =>
        p.tzdataMissing
          ? 'Nothing is scheduled: backups would run at the wrong time. This machine has no time zone data (tzdata) at all; use an image that has it, or set the zone to UTC.'
          : `Nothing is scheduled: backups would run at the wrong time. ${p.meant === undefined ? '' : `Did you mean "${p.meant}"? `}Use an IANA name such as Europe/Berlin.`,
    },
    CLOCK_JUMPED: {
      message: (p: { by: string; direction: 'forward' | 'back' }) => `the clock jumped ${p.direction} by ${p.by}`,
      hint: 'Slots that were passed over are counted and follow the misfire policy; none is run twice. Check the time synchronisation of the node.',
    },
    CRONTAB_INVALID: {
      message: (p: { file: string; line: number; column: number; reason: string }) =>
        `${p.file}:${p.line}:${p.column}: ${p.reason}`,
      hint: (p: { advice: string }) => `Nothing of this file is scheduled until it is corrected. ${p.advice}`,
    },
    CRONTAB_WARNING: {
      message: (p: { file: string; line: number; what: string }) => `${p.file}:${p.line}: ${p.what}`,
      hint: (p: { advice: string }) => `The plan is scheduled all the same. ${p.advice}`,
    },
    CRONTAB_DUPLICATE: {
      message: (p: { file: string; line: number; first: number; plan: string }) =>
        `${p.file}: lines ${p.first} and ${p.line} are both the plan "${p.plan}"`,
      hint: 'Nothing of this file is scheduled until it is corrected. Remove one of them, or give one a name of its own with a line `# holdfast: name=NAME` above it.',
    },
    // ---- storage
    STORAGE_NOT_FOUND: {
      message: (p: { key: string }) => `there is no object "${p.key}" in the store`,
      hint: 'It was removed, or the store is not the one that it was written to.',
    },
    STORAGE_FULL: {
      message: (p: { key: string; reason: string }) => `the store has no room for "${p.key}": ${p.reason}`,
      hint: 'Nothing was stored; earlier backups are untouched. Make room or raise the quota, or keep less with `retention`.',
    },
    STORAGE_READ_ONLY: {
      message: (p: { key: string; reason: string }) => `the store does not let us write "${p.key}": ${p.reason}`,
      hint: 'Nothing was changed in the store, and no backup can be stored until it is writable for this user (in a pod, fsGroup: 1000 does that for volumes). A file system that turned read-only by itself often has a failing disk.',
    },
    STORAGE_IO: {
      message: (p: { operation: 'put' | 'get' | 'list' | 'delete' | 'sweep'; key: string; reason: string }) =>
        `the store failed at ${p.operation} "${p.key}": ${p.reason}`,
      hint: 'What was being stored does not count as a backup; earlier ones are untouched. Check the disk or the network behind the store.',
      retryable: true,
    },
    STORAGE_KEY_INVALID: {
      message: (p: { key: string; reason: string }) => `"${p.key}" cannot be a key in the store: ${p.reason}`,
      hint: 'Nothing was read or written. Keys are relative paths whose parts are percent-encoded.',
    },
    STORAGE_URL_INVALID: {
      message: (p: { address: string; reason: string }) => `"${p.address}" is not the address of a store: ${p.reason}`,
      hint: 'Nothing was read or written. Use file:///path, s3://bucket/prefix, or module#export:{json}.',
    },
    STORAGE_UNKNOWN: {
      message: (p: { address: string; module: string; reason: string }) =>
        `no storage driver for "${p.address}": ${p.module} ${p.reason}`,
      hint: (p: { module: string }) =>
        `Nothing was read or written. Install ${p.module} where Holdfast is installed, or correct the address.`,
    },
    STORE_OWNED: {
      message: (p: { plan: string; owner: string; run: string; age: string }) =>
        `plan "${p.plan}" is being backed up into the same store by ${p.owner} (run ${p.run}, seen ${p.age} ago)`,
      hint: 'This run was skipped: one backup of a plan at a time. If the other one is dead, its claim ends five minutes after it was last seen. Two installations that are meant to share a store need instance names of their own.',
      retryable: true,
    },
    STORE_LOST: {
      message: (p: { plan: string; owner: string }) => `the store of plan "${p.plan}" was taken over by ${p.owner}`,
      hint: 'This run was stopped, because another one took it for dead: this machine stood still for minutes, or the clocks of the two differ by as much. What it had committed stays.',
    },
    STORE_CLAIM_SLOW: {
      message: (p: { plan: string; took: string }) =>
        `the store of plan "${p.plan}" could not be claimed: two small writes took ${p.took}`,
      hint: 'Nothing was backed up. A store that is this slow cannot say safely who uses it; check the disk or the network behind it.',
      retryable: true,
    },
    STORAGE_STALLED: {
      message: (p: { operation: 'put' | 'get' | 'list' | 'delete' | 'sweep'; key: string; idle: string }) =>
        `the store did not move for ${p.idle} at ${p.operation} "${p.key}"`,
      hint: 'It was given up. Check the disk or the network behind the store: a mount whose server is gone hangs like this.',
      retryable: true,
    },
    // ---- copies
    COPY_SAME_STORE: {
      message: (p: { copy: string; other: string }) => `the copy ${p.copy} is ${p.other}`,
      hint: 'A copy in the same place is lost with it. Name another directory, bucket or machine.',
    },
    COPIES_INCOMPLETE: {
      message: (p: { plan: string; copies: string }) =>
        `plan "${p.plan}" was backed up, but not to all of its copies: ${p.copies}`,
      hint: 'The backups are in the store and were read back. The warnings say what each copy lacks and why; the next run copies it.',
      retryable: true,
    },
    COPY_INCOMPLETE: {
      message: (p: { plan: string; copy: string; lacks: string; reason: string }) =>
        `the copy ${p.copy} of plan "${p.plan}" lacks ${p.lacks}: ${p.reason}`,
      hint: (p: { fix?: string | undefined }) =>
        `The store itself has all of it, so nothing is lost; but were the store lost now, this copy could not stand in for it. What it has stays. The next run copies what is missing.${p.fix === undefined ? '' : ` ${p.fix}`}`,
      retryable: true,
    },
    COPY_SOURCE: {
      message: (p: { artifact: string; reason: string }) =>
        `${p.artifact} can't be copied, because the store itself does not give it back: ${p.reason}`,
      hint: 'Copies that lack it stay without it. `holdfast verify` tells whether it is damaged; restore an older one if it is, and check the disk.',
    },
    COPY_SLOW: {
      message: (p: { copy: string; after: string }) => `copying to ${p.copy} did not come to an end within ${p.after}`,
      hint: 'Copies may take nine tenths of what a run has left of its `budget`. Raise the budget, or find out why the copy is slow.',
      retryable: true,
    },
    COPY_UNREACHABLE: {
      message: (p: { copy: string; reason: string }) => `the copy ${p.copy} can't be read: ${p.reason}`,
      hint: 'What it has, and what would be removed from it, is not known. A run would be partial: the store itself would have the backups, this copy would not.',
      retryable: true,
    },
    COPY_NOT_PRUNED: {
      message: (p: { plan: string; copy: string; reason: string }) =>
        `the copy ${p.copy} of plan "${p.plan}" keeps what it should let go: ${p.reason}`,
      hint: 'It has every backup that it should have, and some more. The next run tries again.',
      retryable: true,
    },
    // ---- artifacts
    ARTIFACT_NAME_INVALID: {
      message: (p: { what: string; name: string; reason: string }) =>
        `"${p.name}" cannot be stored as the name of a ${p.what}: ${p.reason}`,
      hint: 'Nothing was stored. Choose a shorter or plainer name.',
    },
    ARTIFACT_EXISTS: {
      message: (p: { artifact: string }) => `there is an artifact ${p.artifact} already`,
      hint: 'The second one was not stored, the first one is untouched. Give each artifact of a target a name of its own.',
    },
    ARTIFACT_TOO_SMALL: {
      message: (p: { artifact: string; size: number; minSize: number }) =>
        `${p.artifact} has ${p.size} bytes, fewer than the ${p.minSize} that it needs at least`,
      hint: 'Nothing was stored: a dump this small is mostly one that failed without saying so. Check what it was made from, or lower minSize.',
    },
    ARTIFACT_PRODUCE_FAILED: {
      message: (p: { artifact: string; reason: string }) => `making ${p.artifact} failed: ${p.reason}`,
      hint: 'Nothing was stored, what had arrived was removed; earlier backups are untouched. The cause has the details.',
    },
    ARTIFACT_ABORTED: {
      message: (p: { artifact: string; reason: string }) => `${p.artifact} was given up: ${p.reason}`,
      hint: 'Nothing was stored, what had arrived was removed; earlier backups are untouched.',
    },
    ARTIFACT_SINK_CLOSED: {
      message: () => 'bytes were written to an artifact after its producer had ended',
      hint: 'They are not part of the artifact. The producer must wait for all of its writes before it returns.',
    },
    ARTIFACT_NOT_FOUND: {
      message: (p: { artifact: string }) => `there is no artifact ${p.artifact} in the store`,
      hint: (p: { nearest: string }) =>
        p.nearest === '' ? 'See `holdfast list`.' : `Nearest: ${p.nearest}. See \`holdfast list\` for all.`,
    },
    ARTIFACT_DIGEST: {
      message: (p: { artifact: string; reason: string }) => `${p.artifact} is damaged: ${p.reason}`,
      hint: 'The bytes in the store are not those that were written: do not use what was read of them. Restore an older one, run the plan again, and check the disk.',
    },
    ARTIFACT_DATA_MISSING: {
      message: (p: { artifact: string }) => `${p.artifact} has a manifest but no data`,
      hint: 'Something other than Holdfast removed it from the store. Restore an older one, and run the plan again.',
    },
    ARTIFACT_KEY_MISSING: {
      message: (p: { artifact: string }) => `${p.artifact} is encrypted and no age identity is configured`,
      hint: 'Only its stored digest can be checked here. To read it, set `encoding.identity` to the key that belongs to one of its recipients.',
    },
    ARTIFACT_DECRYPT: {
      message: (p: { artifact: string; reason: string }) => `${p.artifact} cannot be decrypted: ${p.reason}`,
      hint: 'It can only be restored with an identity of one of the recipients it was encrypted to. If the identity is right, its first bytes are damaged: `holdfast verify` without an identity tells.',
    },
    ENCODING_INVALID: {
      message: (p: { recipient: string; reason: string }) => `"${p.recipient}" is not an age recipient: ${p.reason}`,
      hint: 'Nothing was stored. A recipient begins with age1; age-keygen prints it beside the identity.',
    },
    MANIFEST_INVALID: {
      message: (p: { key: string; reason: string }) => `the manifest ${p.key} cannot be read: ${p.reason}`,
      hint: 'Its artifact is not listed and nothing of it is touched; all others are. Bring the file back from a copy, or remove it.',
    },
    MANIFEST_NEWER: {
      message: (p: { key: string; found: number; known: number }) =>
        `the manifest ${p.key} has schema ${p.found}; this version knows ${p.known}`,
      hint: 'Its artifact is not listed and nothing of it is touched. Use the version of Holdfast that wrote it.',
    },
    RETENTION_INVALID: {
      message: (p: { rules: string; reason: string }) => `"${p.rules}" is no retention: ${p.reason}`,
      hint: 'Nothing is pruned. Write rules such as latest3,days14,months6: latest, hours, days, weeks, months or years, each at most once and at least 1.',
    },
  },
  'docs/errors.md',
)

/** The last line that a command printed is mostly why it failed. */
function said(tail: string): string {
  const line = tail.trimEnd().split('\n').at(-1)?.trim() ?? ''
  if (line === '') return ''
  return `: ${line.length > 200 ? `${line.slice(0, 200).toWellFormed()}…` : line}`
}

function exitCodeHint(exitCode: number): string {
  const unfinished = 'What it was doing did not succeed.'
  if (exitCode === 126) return `${unfinished} 126 is what shells say when a command in a script is not executable.`
  if (exitCode === 127) return `${unfinished} 127 is what shells say when a command in a script was not found.`
  if (exitCode === 137) return `${unfinished} 137 means killed (128 + 9): it probably ran out of memory.`
  if (exitCode === 141) return `${unfinished} 141 means that whoever reads its output stopped reading (128 + SIGPIPE).`
  return `${unfinished} Its own messages are in the log, the last of them in stderrTail.`
}

function signalHint(signal: string): string {
  const unfinished = 'What it was doing is unfinished.'
  if (signal === 'SIGKILL') return `${unfinished} It probably ran out of memory: raise the memory limit.`
  if (signal === 'SIGPIPE') {
    return `${unfinished} Whoever reads its output stopped reading first. If that is right, list 141 in okExitCodes.`
  }
  return `${unfinished} Find out who sent the signal; SIGSEGV, SIGABRT and SIGBUS are crashes of the program itself.`
}
