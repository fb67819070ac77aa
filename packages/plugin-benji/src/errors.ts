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
      hint: 'Nothing is backed up. In a pod, give it a service account whose token is mounted; elsewhere set KUBECONFIG. Images are backed up without Kubernetes: `images: [pool/image]`.',
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
  },
  'docs/errors.md',
)
