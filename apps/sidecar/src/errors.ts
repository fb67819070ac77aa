import { defineErrors } from '@holdfast/sdk'

/** The errors of the command line. Codes are permanent; `docs/errors.md` is generated from here. */
export const errors = defineErrors(
  {
    INTERNAL: {
      message: (p: { reason: string }) => `Holdfast itself failed: ${p.reason}`,
      hint: 'This is a fault in Holdfast, not in your configuration. Whether something was backed up is in `holdfast history`. Please report it with the output of `holdfast doctor --json` and of this command with --log-level debug.',
    },
    ANSWER_LOST: {
      message: (p: { reason: string }) => `what this command answered did not all arrive: ${p.reason}`,
      hint: 'What it was to do is done. Standard output took no more: make room there, or send it somewhere else, and ask again.',
    },
    OPTION_INVALID: {
      message: (p: { option: string; value: string; allowed: string }) => `${p.option} can't be "${p.value}"`,
      hint: (p) => `Nothing was done. Allowed: ${p.allowed}.`,
    },
    COMMAND_MISSING: {
      message: (p: { command: string; suggestion: string; known: string }) => `there is no command "${p.command}"`,
      hint: (p) =>
        `${p.suggestion}Nothing was done, and no plugin of the configuration is called that. There are: ${p.known}.`,
    },
    COMMAND_PLAN: {
      message: (p: { plan: string; plugin: string; plans: string }) => `plan "${p.plan}" doesn't use "${p.plugin}"`,
      hint: (p) => `Nothing was done. Plans that do: ${p.plans}.`,
    },
    CHOICE_MISSING: {
      message: (p: { command: string; what: string; allowed: string }) =>
        `\`holdfast ${p.command}\` was not told which ${p.what}`,
      hint: (p) => `Nothing was done. Say ${p.allowed}.`,
    },
    CONFIRMATION_NEEDED: {
      message: (p: { what: string }) => `${p.what} needs your confirmation, and there is nobody to ask`,
      hint: 'Nothing was done. Say --yes to confirm where no terminal is.',
    },
    STATE_MISSING: {
      message: (p: { directory: string }) => `there is no journal in ${p.directory}`,
      hint: 'Nothing has run with this state directory yet. Name the right one with --state-dir; what is in the store is listed by `holdfast list --storage URL`.',
    },
    DRILL_NONE: {
      message: (p: { source: string }) => `there is no drill in ${p.source}`,
      hint: 'Nothing was restored, and whether your backups can be is not known. Write one below `drills:`; docs/drills.md has examples.',
    },
    NOTIFIER_NONE: {
      message: (p: { source: string }) => `nobody is told anything by ${p.source}`,
      hint: 'Backups run, and when one fails only the log, the metrics and the history say so. Write whom to tell below `notify:`; docs/notifications.md has examples.',
    },
    NOTIFIER_UNKNOWN: {
      message: (p: { notifier: string; known: string }) => `there is no notifier "${p.notifier}"`,
      hint: (p) => `Nobody was told anything. There are: ${p.known}.`,
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
    RESTORE_SEVERAL: {
      message: (p: { backup: string; artifacts: string; first: string }) =>
        `${p.backup} is not one stream that standard output could take: ${p.artifacts || 'it is not in the store'}`,
      hint: (p) => `Nothing was written. Name one artifact: \`holdfast restore ${p.backup}/${p.first} --to -\`.`,
    },
    RESTORE_CUT: {
      message: (p: { written: number; size: number; reason: string }) =>
        `standard output took ${p.written} of ${p.size} bytes: ${p.reason}`,
      hint: 'What was written is not whole: do not use it. Whoever reads the pipe has stopped, or was stopped: `set -o pipefail` lets a script see which.',
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
    DAEMON_STATE_UNWRITABLE: {
      message: (p: { directory: string; reason: string }) =>
        `the state directory ${p.directory} can't be written: ${p.reason}`,
      hint: 'Runs fail until it can be: what is not on record is not frozen or locked. History ends where writing did, so the newest runs are missing in it; the backups in the store are all there. Make room, or make it writable. `holdfast doctor` tries it.',
    },
    DAEMON_STOPPING: {
      message: () => 'the daemon is stopping',
      hint: 'Nothing is scheduled any more; what was taken is given back.',
    },
    LEADER_NO_CLUSTER: {
      message: (p: { lease: string }) =>
        `one of several pods is to schedule (replicas: leader), and the lease "${p.lease}" that decides which can't be reached: there is no access to a cluster`,
      hint: 'Nothing is scheduled here, so that no plan runs twice. Give the pod a service account (automountServiceAccountToken), or set `replicas: each` if there is only one.',
    },
    LEASE_UNAVAILABLE: {
      message: (p: { lease: string; reason: string }) =>
        `the lease "${p.lease}", which decides which of several pods schedules, can't be had: ${p.reason}`,
      hint: (p: { hint: string }) =>
        `Nothing is scheduled here while this lasts, so that no plan runs twice; it is tried again every two seconds. ${p.hint}`,
    },
    REPLICAS_CHANGED: {
      message: (p: { from: string; to: string }) =>
        `\`replicas\` was changed from ${p.from} to ${p.to}, which needs a restart`,
      hint: 'The rest of the changed configuration is in force. Restart all pods: until then they go on as before.',
    },
    HTTP_PORT: {
      message: (p: { address: string; reason: string }) => `${p.address} can't be listened on: ${p.reason}`,
      hint: 'Backups go on; /metrics and HTTP probes are not to be had from this process. It is tried again every 30 s. Name another port with --listen or `metrics.listen` (0 is none); `holdfast health` asks this process whatever becomes of the port.',
    },
    HTTP_SOCKET: {
      message: (p: { path: string; reason: string }) => `${p.path} can't be listened on: ${p.reason}`,
      hint: 'Backups go on, but `holdfast health` will say that no daemon answers: let probes ask the port instead, or put the state directory on a file system that has sockets.',
    },
    PLANS_UNSCHEDULED: {
      message: (p: { source: string }) => `no plan of ${p.source} has a schedule`,
      hint: 'The daemon would never back anything up. Give a plan a `schedule`, or run plans by hand with `holdfast run`.',
    },
    // ---- status page and its API
    API_UNKNOWN: {
      message: (p: { path: string }) => `there is nothing at ${p.path}`,
      hint: 'Nothing was done. /api/v1 lists what there is; docs/api.md explains it.',
    },
    API_METHOD: {
      message: (p: { method: string; path: string; allowed: string }) =>
        `${p.path} doesn't answer ${p.method}, only ${p.allowed}`,
      hint: 'Nothing was done. docs/api.md says what is asked how.',
    },
    API_PARAMETER: {
      message: (p: { name: string; value: string; allowed: string }) => `"${p.name}" can't be "${p.value}"`,
      hint: (p) => `Nothing was done. Allowed: ${p.allowed}.`,
    },
    API_BODY: {
      message: (p: { reason: string }) => `the body of the request can't be used: ${p.reason}`,
      hint: 'Nothing was done. Send none, or JSON as docs/api.md has it.',
    },
    HTTP_HOST: {
      message: (p: { host: string }) => `this is not shown under the name "${p.host}"`,
      hint: 'Backups go on. A page of somebody else could ask so, when its name was made to lead here, and read all of this. Ask by address, as localhost or by the name of a service; where the name is one of yours, add it to `metrics.allowedHosts`.',
    },
    API_HOST: {
      message: (p: { host: string }) => `requests for the host "${p.host}" may not change anything here`,
      hint: 'Nothing was done: a web page could have sent this under a name of its own. Ask by address, as localhost or by the name of a service; add other names to `metrics.allowedHosts`, or to HOLDFAST_API_HOSTS.',
    },
    API_ORIGIN: {
      message: (p: { origin: string }) => `requests of pages from "${p.origin}" may not change anything here`,
      hint: 'Nothing was done: a page of somebody else sent this. Use a program, such as curl.',
    },
    API_TOKEN: {
      message: () => 'the bearer token is missing or wrong',
      hint: 'Nothing was done. Send the content of the file that --api-token-file names: "Authorization: Bearer …".',
    },
    API_TOKEN_FILE: {
      message: (p: { path: string; reason: string }) => `the token in ${p.path} can't be used: ${p.reason}`,
      hint: 'Nothing was done, and nothing can be until it is mended: backups go on by their schedules. The file is read at each request; `openssl rand -hex 32` makes a token.',
    },
    API_UNSCHEDULED: {
      message: (p: { plan: string }) => `plan "${p.plan}" has no schedule that could be paused`,
      hint: 'Nothing was done. It runs only when it is told to.',
    },
    API_PAUSED: {
      message: (p: { plan: string }) => `plan "${p.plan}" is paused by the configuration`,
      hint: 'Nothing was done: it makes no backups until `paused` is taken out of its schedule there.',
    },
    PAUSE_UNWRITTEN: {
      message: (p: { plan: string; reason: string }) =>
        `what plan "${p.plan}" is to do could not be written down: ${p.reason}`,
      hint: 'Nothing was changed: it would be forgotten by the next start. Make room in the state directory, or see that this user may write there; `schedule.paused` in the configuration pauses a plan, too.',
    },
    API_STANDBY: {
      message: (p: { leader: string }) => `this pod stands by, and does nothing by hand: ${p.leader} schedules`,
      hint: 'Nothing was done, so that no plan runs twice at once. Ask the pod that schedules.',
    },
    API_INTERNAL: {
      message: (p: { reason: string }) => `the answer could not be made: ${p.reason}`,
      hint: 'Backups are not concerned. The log has more; `holdfast history` and `holdfast list` show the same.',
    },
    // ---- uninstall
    UNINSTALL_NO_CLUSTER: {
      message: () => 'there is no cluster to uninstall anything from',
      hint: 'Nothing was done. In a pod, it needs a service account; elsewhere set KUBECONFIG.',
    },
    UNINSTALL_UNREACHABLE: {
      message: (p: { reason: string }) => `what runs Holdfast could not be deleted: ${p.reason}`,
      hint: 'Nothing else was deleted, and pods go on as before. `helm uninstall --no-hooks` goes on without this; what a running backup gives back then may stay on record, as ConfigMaps with the label holdfast.dev/undo. Where no pod can reach the API, set `uninstall.wait` of the chart to false.',
      retryable: true,
    },
    UNINSTALL_PODS_LEFT: {
      message: (p: { pods: string; after: string }) => `there are still pods after ${p.after}: ${p.pods}`,
      hint: 'Nothing but what runs them was deleted, so what they give back late still goes off the record. Look what keeps them (a node that is gone, a volume that hangs), and uninstall again. `helm uninstall --no-hooks` does not wait; what could not be given back then stays as ConfigMaps with the label holdfast.dev/undo.',
    },
    // ---- generate, make-k8s-cfg-files
    OPTION_CONFLICT: {
      message: (p: { option: string; other: string; reason: string }) =>
        `${p.option} does not go with ${p.other}: ${p.reason}`,
      hint: 'Nothing was written. Leave one of the two out.',
    },
    OPTION_NEEDED: {
      message: (p: { option: string; reason: string }) => `${p.option} is missing: ${p.reason}`,
      hint: (p) => `Nothing was written. Say ${p.option}; \`holdfast generate kubernetes --help\` explains it.`,
    },
    GENERATE_NAME_INVALID: {
      message: (p: { what: string; name: string; rule: string; suggestion: string }) =>
        `${p.what} can't be "${p.name}": Kubernetes would refuse the names that are made from it`,
      hint: (p) => `Nothing was written. Allowed: ${p.rule}.${p.suggestion}`,
    },
    GENERATE_NAME_LONG: {
      message: (p: { what: string; name: string; length: number; limit: number }) =>
        `the ${p.what} "${p.name}" would have a name of ${p.length} characters, and Kubernetes allows ${p.limit}`,
      hint: (p) => `Nothing was written. Shorten the names that it is made from by ${p.length - p.limit}.`,
    },
    GENERATE_REFUSED: {
      message: (p: { path: string; count: number; first: string }) =>
        p.count === 1 ? p.first : `${p.count} problems in ${p.path}, the first: ${p.first}`,
      hint: 'Nothing was written, so that no script is left out of a backup without a word. Mend them and try again.',
    },
    GENERATE_DIRECTORY: {
      message: (p: { what: string; path: string; reason: string }) => `${p.what} ${p.path} can't be used: ${p.reason}`,
      hint: 'Nothing was written. Name a directory that is there; in a container, one that is mounted.',
    },
    GENERATE_NO_SCRIPTS: {
      message: (p: { path: string; directories: string }) => `there is no script in ${p.path}`,
      hint: (p) =>
        `Nothing was written: a pod with it would back up nothing. Scripts are files in a directory per hook: ${p.directories}.`,
    },
    GENERATE_KEY_INVALID: {
      message: (p: { file: string }) => `${p.file} has a name that a ConfigMap can't hold`,
      hint: 'Rename it, or move it out of the directory if it is no script. Allowed are up to 253 letters, digits, "-", "_" and ".".',
    },
    GENERATE_TOO_LARGE: {
      message: (p: { path: string; size: number; limit: number; largest: string }) =>
        `the files of ${p.path} have ${p.size} bytes, and a ConfigMap may have ${p.limit}; largest: ${p.largest}`,
      hint: 'Put programs and data into an image or a volume, and let the scripts use them from there.',
    },
    GENERATE_FOREIGN: {
      message: (p: { path: string; action: string; owner: string; user: number }) =>
        `user ${p.user} may not ${p.action} ${p.path}, which belongs to ${p.owner}`,
      hint: 'Nothing was written. In a container, run it as yourself: docker run --user "$(id -u):$(id -g)" … . Else change the owner or the mode.',
    },
    GENERATE_UNWRITABLE: {
      message: (p: { path: string; reason: string }) => `${p.path} can't be written: ${p.reason}`,
      hint: 'Files that were there before are as they were. Name another directory, or make this one writable and give it enough space.',
    },
    GENERATE_OCCUPIED: {
      message: (p: { path: string }) => `${p.path} is there already, and is not of our making`,
      hint: 'Nothing was written. Name another directory with --output.',
    },
    GENERATE_FILE_OUTSIDE: {
      message: (p: { file: string; directory: string }) =>
        `${p.file} belongs to the configuration, but is outside of its directory ${p.directory}`,
      hint: 'Nothing was written: in the pod it would not be where the configuration looks for it. Move it below that directory, or build an image that contains the configuration and say --config-in-image.',
    },
    GENERATE_SCHEDULE: {
      message: (p: { what: string; cron: string; reason: string }) =>
        `Kubernetes can't run ${p.what} at "${p.cron}": ${p.reason}`,
      hint: 'Nothing was written, because a CronJob would run at other times. Write the schedule another way, or use a form with a daemon, such as --form sidecar.',
    },
    GENERATE_UNSCHEDULED: {
      message: (p: { source: string }) => `no plan of ${p.source} has a schedule, so there is no CronJob to make`,
      hint: 'Give a plan a `schedule`.',
    },
    // Warnings of `generate`.
    GENERATE_SCRIPTS_ABSENT: {
      message: (p: { plan: string; path: string }) =>
        `the scripts of plan "${p.plan}" are not on this machine: ${p.path}`,
      hint: 'No ConfigMaps were made from them: name the directory that holds them with --scripts, or mount them yourself. Until then the pod is not ready and backs up nothing.',
    },
    GENERATE_STORE_LOST: {
      message: (p: { plan: string }) => `artifacts of plan "${p.plan}" are kept in the pod and are lost with it`,
      hint: 'Name a store with --storage URL or `storage:`, or keep the state on a volume with --state-claim. Scripts that store their dumps elsewhere themselves need none.',
    },
    GENERATE_INSTALL: {
      message: (p: { path: string }) => `${p.path} installs programs, which a restricted container may not do`,
      hint: 'It would fail at start, and the pod would start over and over. Put the programs into an image (FROM this one) and name it with --image, or say --root.',
    },
    GENERATE_TARGET: {
      message: (p: { script: string }) => `${p.script} uses kubectlexec, and no container was named for it`,
      hint: 'Its commands would fail. Say --target-container NAME.',
    },
    GENERATE_NO_TARGET: {
      message: (p: { script: string }) =>
        `${p.script} uses kubectlexec, but the pod of a CronJob has no other container`,
      hint: 'Its commands would fail. Use --form sidecar, or set POD_NAME and TARGET_CONTAINER in the CronJob yourself.',
    },
  },
  'docs/errors.md',
)
