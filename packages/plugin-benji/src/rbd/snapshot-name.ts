import type { RbdSnapshot } from './rbd.ts'

/** What the names of backups' snapshots begin with, as Benji's Kubernetes tools have it. */
const prefix = 'b-'

/** `b-2026-01-31T23:59:59Z`: the name that a backup begun at that time gives its snapshot. */
export function snapshotName(at: Date): string {
  return `${prefix}${at.toISOString().slice(0, 19)}Z`
}

/** Whether a snapshot may be a backup's. Whose it is its name doesn't say: people use such names, too (K9). */
export function isSnapshotName(name: string): boolean {
  return name.startsWith(prefix)
}

/** A name that none of the image's snapshots has: names have seconds, and two backups may begin in one (K9). */
export function freeSnapshotName(at: Date, snapshots: readonly Pick<RbdSnapshot, 'name'>[]): string {
  const taken = new Set(snapshots.map(({ name }) => name))
  let ms = at.getTime()
  while (taken.has(snapshotName(new Date(ms)))) ms += 1000
  return snapshotName(new Date(ms))
}
