import { defineErrors } from '@holdfast/sdk'

/** What is wrong with a configuration, or with what it names. */
export const configurationErrors = defineErrors(
  {
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
  },
  'docs/errors.md',
)
