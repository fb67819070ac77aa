import { defineErrors } from '@holdfast/sdk'

/** The store, its copies, and the artifacts in them. */
export const storageErrors = defineErrors(
  {
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
    STORE_EMPTIED: {
      message: (p: { plan: string; address: string }) =>
        `the store at ${p.address} has nothing of what earlier runs of plan "${p.plan}" left in it`,
      hint: 'This run has backed up into it as it is, and later ones will. If a volume belongs there, it is not mounted: mount it, or backups fill another disk, and old ones are not where you look for them. If the store was emptied or replaced on purpose, all is well: this is said once.',
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
    ARTIFACT_NOT_BYTES: {
      message: (p: { found: string }) => `${p.found} was written into an artifact, which is made of bytes`,
      hint: 'Nothing was stored; the last backup is untouched. This is a mistake in the hook or plugin that makes the artifact: it writes a Uint8Array, such as Buffer.from(text).',
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
