import { defineErrors } from '@holdfast/sdk'

/** Every error of this package, by subject. Its hint says what it means for the volume's backups, and what to do. */
export const errors = defineErrors(
  {
    // ---- backups
    VOLUME_UNUSABLE: {
      message: (p: { volume: string; reason: string }) => `${p.volume} can't be backed up: ${p.reason}`,
      hint: 'Nothing was done about this volume; the others are backed up. Mend the claim, or exclude it with a selector.',
    },
    SNAPSHOT_AND_THAW_FAILED: {
      message: (p: { snapshot: string; thaw: string }) => `no snapshot: ${p.snapshot}. And then: ${p.thaw}`,
      hint: 'There is no new backup of this volume. Its thaw is pending and tried again: see `holdfast undo list`.',
    },
    BENJI_NOT_KEPT: {
      message: (p: { uid: string; found: string }) => `version ${p.uid} can't be relied on: ${p.found}`,
      hint: 'Earlier versions of the volume are kept, and nothing is pruned. Look at `benji ls` and at the log of this run.',
    },
    BENJI_SOURCE_MISMATCH: {
      message: (p: { uid: string; source: string; problem: string }) =>
        `version ${p.uid} differs from its source ${p.source}: ${p.problem}`,
      hint: 'The version is marked (label holdfast.dev/source-mismatch) and the next backup is full. Ceph may have reported wrong differences: check the object map with `rbd object-map check`, and set `wholeObject: false`.',
    },
    // ---- discovery
    DISCOVERY_NO_KUBERNETES: {
      message: (p: { asked: string }) => `${p.asked} can't be looked up: there is no Kubernetes here`,
      hint: 'Nothing was done. In a pod, give it a service account whose token is mounted; elsewhere set KUBECONFIG. Images need no Kubernetes: back them up by `images: [pool/image]`, restore by `--to image=pool/image`.',
    },
    // ---- restores
    VOLUME_VERSION_GONE: {
      message: (p: { uid: string }) => `Benji has no version ${p.uid}`,
      hint: 'Nothing was restored. `benji ls` shows what there is. If its database was lost, `benji metadata-ls` and `benji metadata-restore` bring back what the storage still has.',
    },
    VOLUME_VERSION_INCOMPLETE: {
      message: (p: { uid: string }) => `version ${p.uid} is incomplete: its backup never came to its end`,
      hint: 'Nothing was restored, and --force would not help: a part of the volume is missing. Restore an older version.',
    },
    VOLUME_VERSION_DOUBTFUL: {
      message: (p: { uid: string; doubt: string }) => `version ${p.uid} ${p.doubt}`,
      hint: 'Nothing was restored. Restore another version; if this is the best that there is, --force restores it as it is.',
    },
    VOLUME_THERE: {
      message: (p: { place: string }) => `${p.place} is there already`,
      hint: 'It was not touched. Name another place, or overwrite it with --force.',
    },
    VOLUME_HOLDS_DATA: {
      message: (p: { place: string; used: string }) => `${p.place} holds data already, ${p.used}`,
      hint: 'It was not touched. Restore into another claim, or overwrite it with --force.',
    },
    VOLUME_PLACE: {
      message: (p: { place: string; reason: string }) => `nothing can be restored to ${p.place}: ${p.reason}`,
      hint: 'Nothing was touched. Name another place: --to pvc=[namespace/]name, image=pool/image or file=/path.',
    },
    VOLUME_IN_USE: {
      message: (p: { place: string; by: string }) => `${p.place} is in use by ${p.by}`,
      hint: 'It was not touched. Stop what uses it (scale the workload to 0) and try again: a filesystem that is overwritten while it is mounted is destroyed. --force overwrites it all the same.',
    },
    VOLUME_TOO_SMALL: {
      message: (p: { place: string; size: string; needed: string }) =>
        `${p.place} has ${p.size}, and the version needs ${p.needed}`,
      hint: 'Nothing was restored, and --force would not help: the end of the volume would be missing. Name a larger place, or grow this one.',
    },
    VOLUME_STORAGE_CLASS: {
      message: (p: { claim: string; reason: string }) => `the claim ${p.claim} can't be made: ${p.reason}`,
      hint: 'Nothing was made. Name a storage class whose provisioner is rbd.csi.ceph.com or the like: --to storageClass=NAME.',
    },
    VOLUME_WAITS_FOR_POD: {
      message: (p: { claim: string; storageClass: string }) =>
        `the claim ${p.claim} would not be bound before a pod uses it: its storage class ${p.storageClass} has volumeBindingMode WaitForFirstConsumer`,
      hint: 'Nothing was made or touched. Name a storage class with volumeBindingMode Immediate (--to storageClass=NAME), restore into a claim that is bound already, or into an image (--to image=pool/image).',
    },
    VOLUME_NOT_BOUND: {
      message: (p: { claim: string; reason: string }) => `the claim ${p.claim} was not bound to a volume: ${p.reason}`,
      hint: 'Nothing was restored; if the claim was made for this restore, it is removed. `kubectl describe pvc` and the log of the provisioner say what is missing; a slow one can be given more time: --to wait=15m.',
      retryable: true,
    },
    VOLUME_RESTORE_FAILED: {
      message: (p: { uid: string; place: string; reason: string; left: string }) =>
        `version ${p.uid} was not restored to ${p.place}: ${p.reason}`,
      hint: (p) =>
        `Do not use what is there: ${p.left}. Mend what is said above and restore again, or restore another version.`,
    },
    VOLUME_RESTORE_DAMAGED: {
      message: (p: { uid: string; place: string; count: number; problem: string }) =>
        `version ${p.uid} was written to ${p.place}, but it is damaged (problems: ${p.count}): ${p.problem}`,
      hint: 'What is there now is not what was backed up, and stays for you to look at. Restore another version, and find out with `benji deep-scrub` how far the damage goes.',
    },
    // ---- Benji
    BENJI_MISSING: {
      message: (p: { program: string; reason: string }) => `Benji can't be started: ${p.reason}`,
      hint: (p) =>
        `No volume is backed up, and none can be restored. Install Benji where Holdfast runs (the image benji-k8s has it), or say where ${p.program} is: \`engine.command\`.`,
    },
    BENJI_LOCKED: {
      message: (p: { what: string; said: string }) => `${p.what}: something else is at work there: ${p.said}`,
      hint: 'Nothing was changed. It may be tried again when the other one has ended. If no Benji runs any more, one was killed and left its lock: `benji rm --force --override-lock UID` removes an incomplete version with it, and docs/benji.md says how a good one gets free.',
      retryable: true,
    },
    BENJI_REFUSED: {
      message: (p: { what: string; said: string }) => `Benji refused ${p.what}: ${p.said}`,
      hint: 'The version is kept as it is. It is protected, incomplete, or younger than `disallowRemoveWhenYounger` of the configuration of Benji.',
    },
    BENJI_NOT_FOUND: {
      message: (p: { what: string; said: string }) => `${p.what}: there is no such thing: ${p.said}`,
      hint: 'What was there before is untouched. The version, image or snapshot is gone, or the configuration leads elsewhere: compare with `benji ls` and `rbd ls`.',
    },
    BENJI_USAGE: {
      message: (p: { what: string; said: string }) => `Benji did not take ${p.what}: ${p.said}`,
      hint: 'Nothing was stored. Correct the option or the filter that it names. A base that it does not take (other storage, other block size) is no loss: a full backup is made.',
    },
    BENJI_DATA: {
      message: (p: { what: string; said: string }) => `${p.what}: the data are not what they should be: ${p.said}`,
      hint: 'A backup made of them would be wrong, so there is none; earlier ones are untouched. If Benji says that the source changed outside of the hints, Ceph reported too few differences: check the object map with `rbd object-map check`, and set `wholeObject: false`.',
    },
    BENJI_EXISTS: {
      message: (p: { what: string; said: string }) => `${p.what}: it is there already: ${p.said}`,
      hint: 'Nothing was overwritten. Restore to another place, or with --force.',
    },
    BENJI_IO: {
      message: (p: { what: string; said: string }) => `${p.what}: reading or writing failed: ${p.said}`,
      hint: 'A backup that ended so does not count, and a restore left its target half written. Look at the storage: room, rights, network; earlier versions are untouched.',
      retryable: true,
    },
    BENJI_CONFIG: {
      message: (p: { what: string; said: string }) => `${p.what}: the configuration can't be used: ${p.said}`,
      hint: 'Nothing is backed up until it is corrected. `benji version-info` checks the file; `engine.configFile` names another.',
    },
    BENJI_DATABASE: {
      message: (p: { what: string; said: string }) => `${p.what}: Benji's database can't be used: ${p.said}`,
      hint: 'Nothing can be backed up or restored by Benji while this lasts. A new database needs `benji database-init`, one of an older Benji `benji database-migrate`; SQLite takes one writer at a time, so several jobs need PostgreSQL.',
      retryable: true,
    },
    BENJI_FAILED: {
      message: (p: { what: string; said: string }) => `${p.what} failed: ${p.said}`,
      hint: 'What it made does not count; earlier versions are untouched. Its log has more.',
    },
    BENJI_STOPPED: {
      message: (p: { what: string; said: string }) => `${p.what} was stopped: ${p.said}`,
      hint: 'What it was making does not count; earlier versions are untouched. If it was killed, for want of memory perhaps, its version stays incomplete and locked until that is removed with --override-lock.',
      retryable: true,
    },
    BENJI_OUTPUT: {
      message: (p: { what: string; problem: string }) => `what ${p.what} printed is not understood: ${p.problem}`,
      hint: 'It is not known how it went, so it counts as failed; what is stored is untouched. Check that `engine.command` is Benji 0.17, and that nothing else prints to its standard output.',
    },
    BENJI_NAME: {
      message: (p: { what: string; name: string; problem: string }) =>
        `Benji can't use the ${p.what} "${p.name}": it ${p.problem}`,
      hint: 'Nothing was done with it. It needs another name.',
    },
    // ---- rbd
    RBD_MISSING: {
      message: (p: { program: string; reason: string }) => `rbd can't be started: ${p.reason}`,
      hint: (p) =>
        `No volume is backed up. Install ceph-common where Holdfast runs (the image benji-k8s has it), or say where ${p.program} is: \`engine.ceph.rbd\`.`,
    },
    RBD_NOT_FOUND: {
      message: (p: { what: string; said: string }) => `${p.what}: there is no such thing: ${p.said}`,
      hint: 'Nothing was done. The image, snapshot or pool is gone, or is in another cluster: compare with `rbd ls`, and check `engine.ceph`.',
    },
    RBD_FAILED: {
      message: (p: { what: string; said: string }) => `${p.what} failed: ${p.said}`,
      hint: 'There is no new backup of this volume; earlier ones are untouched. Try the same command by hand; for (1) Operation not permitted check user and keyring, `engine.ceph`.',
    },
    RBD_TIMEOUT: {
      message: (p: { what: string; after: string }) => `${p.what} did not finish within ${p.after}`,
      hint: 'There is no new backup of this volume; earlier ones are untouched. It may still take effect: a snapshot that was made late is found and removed. Look at the cluster: `ceph -s`.',
      retryable: true,
    },
    RBD_STOPPED: {
      message: (p: { what: string; said: string }) => `${p.what} was stopped: ${p.said}`,
      hint: 'There is no new backup of this volume; earlier ones are untouched.',
      retryable: true,
    },
    RBD_OUTPUT: {
      message: (p: { what: string; problem: string }) => `what ${p.what} printed is not understood: ${p.problem}`,
      hint: 'A backup made by it could miss something, so there is none; earlier ones are untouched. Check that `engine.ceph.rbd` is the rbd of your Ceph, and try the same command by hand.',
    },
    // ---- Benji's configuration
    BENJI_IO_MISSING: {
      message: (p: { io: string; path: string; known: string }) =>
        `Benji's configuration ${p.path} has no io "${p.io}" (it has: ${p.known})`,
      hint: 'Nothing can be backed up. Add it under `ios` with module rbdaio; one io reaches all pools. Or name another as `engine.io`.',
    },
    BENJI_STORAGE_MISSING: {
      message: (p: { storage: string; path: string; known: string }) =>
        `Benji's configuration ${p.path} has no storage "${p.storage}" (it has: ${p.known})`,
      hint: 'Nothing can be backed up. Add it under `storages`, or name another as `engine.storage`.',
    },
    // ---- `holdfast benji gc`
    GC_OPTION: {
      message: (p: { option: string; allowed: string }) => `holdfast benji gc has no option "${p.option}"`,
      hint: (p) => `Nothing was done. It has: ${p.allowed}.`,
    },
    GC_UNCONFIRMED: {
      message: (p: { what: string }) => `removing ${p.what} needs your confirmation, and there is nobody to ask`,
      hint: 'Nothing was removed. Say --yes to confirm where no terminal is.',
    },
    // ---- maintenance
    BENJI_DAMAGED: {
      message: (p: { uids: string; volumes: string; problem: string }) =>
        `the scrub found damage in ${p.uids}${p.volumes === '' ? '' : ` of ${p.volumes}`}: ${p.problem}`,
      hint: 'Benji has marked them invalid; they are no base for backups any more. Make a new backup of these volumes, and find out what happened to the storage.',
    },
    // ---- metrics of Benji's tools
    PUSH_ADDRESS: {
      message: (p: { address: string }) => `"${p.address}" is no address of a Pushgateway`,
      hint: "Backups go on; only the metrics of Benji's tools are not pushed. Write host:port or a URL: in PROM_PUSH_GATEWAY, or as `engine.compatMetrics.gateway`.",
    },
    PUSH_FAILED: {
      message: (p: { gateway: string; reason: string }) =>
        `metrics did not get to the Pushgateway ${p.gateway}: ${p.reason}`,
      hint: 'Backups go on and are not affected. Until a push succeeds, the Pushgateway shows what was before: do not take its numbers for new ones.',
    },
    // ---- freezing
    FREEZE_IMPOSSIBLE: {
      message: (p: { claim: string; reason: string; advice: string }) => `${p.claim} can't be frozen: ${p.reason}`,
      hint: (p) =>
        `Nothing was done to it. ${p.advice === '' ? '' : `${p.advice} `}To have it backed up as it is, set freeze.mode to best-effort, or take the annotation benji-backup.me/fsfreeze away.`,
    },
    FREEZE_FAILED: {
      message: (p: { where: string; reason: string; command: string }) => `${p.where} was not frozen: ${p.reason}`,
      hint: (p) =>
        `There is no new backup of this volume; earlier ones are untouched. It has been thawed, or that is pending: see \`holdfast undo list\`. If its writers hang all the same, run this as root on its node: ${p.command}`,
      retryable: true,
    },
    FREEZE_LOST: {
      message: (p: { where: string; reason: string; limit: string }) =>
        `${p.where} did not stand still until its snapshot was there: ${p.reason}`,
      hint: (p) =>
        `It is thawed. That snapshot is not consistent and is not used; earlier backups are untouched. If making it took longer than ${p.limit}, look at Ceph, or raise freeze.limit; if a connection was lost, look at the agent and its node.`,
      retryable: true,
    },
    THAW_FAILED: {
      message: (p: { where: string; reason: string; command: string }) => `${p.where} could not be thawed: ${p.reason}`,
      hint: (p) =>
        `Whatever writes to it hangs, and this backup does not count. Its agent's timer goes on trying, and so does \`holdfast undo run\`. By hand, as root on its node: ${p.command}`,
      retryable: true,
    },
  },
  'docs/errors.md',
)
