import type { Duration, RunContext } from '@holdfast/sdk'
import type { RbdImage } from '../rbd/image.ts'
import type { Claim } from '../target.ts'

/** How filesystems are frozen. */
export interface FreezeOptions {
  /**
   * What becomes of a claim that asks for it (annotation `benji-backup.me/fsfreeze: "yes"`) and can't be frozen.
   * `'required'`: it fails before anything is done. `'best-effort'`: it is backed up with a warning. `'never'`: nothing
   * is frozen. Default `'required'`.
   */
  readonly mode?: 'required' | 'best-effort' | 'never' | undefined
  /** The dead-man timer: what thaws a filesystem by itself, on its node, however this process ends. Default `'30s'`. */
  readonly limit?: Duration | undefined
  /** Label selector of the agents, in our own namespace. Default `'app.kubernetes.io/component=freeze-agent'`. */
  readonly agentSelector?: string | undefined
  /** Where the kubelet keeps its directories, in the agent as on the node. Default `'/var/lib/kubelet'`. */
  readonly kubeletRoot?: string | undefined
  /** Where the agent sees the node's sysfs. Default `'/sys'`. */
  readonly sysRoot?: string | undefined
}

/** A filesystem that stands still. */
export interface FrozenFilesystem {
  /**
   * Thaws it, and proves that it stood still all the time until now.
   *
   * @returns for how long it was frozen, in milliseconds
   * @throws HoldfastError `FREEZE_LOST` when it may have been thawed earlier, by its timer or by somebody else: the
   * snapshot isn't consistent. `THAW_FAILED` when it can't be thawed, after all tries
   */
  thaw(): Promise<{ readonly frozenMs: number }>
}

/** A claim's filesystem that can be frozen: looked up before anything is done. */
export interface Freezable {
  /** Where, for people: `node a, /var/lib/kubelet/…`. */
  readonly where: string
  /**
   * Arms the thaw, freezes. `thaw()` disarms it once the agent has proven that all is thawed; else it is fired, by that or
   * by the end of the hook.
   *
   * @throws HoldfastError `FREEZE_FAILED`, when all is thawed again or its undo is pending
   */
  freeze(): Promise<FrozenFilesystem>
}

/**
 * Finds the node, the agent and the mount of a claim's filesystem.
 *
 * @throws HoldfastError `FREEZE_IMPOSSIBLE` (with the reason: not mounted, on several nodes, a block device, no agent on
 * its node, not a mount of that image), before any effect
 */
export type FindFreezable = (
  ctx: RunContext<unknown>,
  volume: { readonly claim: Claim; readonly image: RbdImage },
  options: FreezeOptions,
) => Promise<Freezable>
