import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '@holdfast/runtime'

/** Filesystems by the magic number of statfs. */
const filesystems: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlay',
  0x2fc12fc1: 'zfs',
  0x6969: 'nfs',
  0xff534d42: 'cifs',
  0xfe534d42: 'smb2',
  0x00c36400: 'ceph',
  0x65735546: 'fuse',
  0x01021997: '9p',
}

/** The filesystem that a directory is on, and the bytes that are free there for this user. */
export function roomOf(directory: string): { readonly filesystem: string; readonly free: number } {
  const { type, bavail, bsize } = statfsSync(directory)
  return { filesystem: filesystems[type] ?? `0x${type.toString(16)}`, free: bavail * bsize }
}

/**
 * Writes a few bytes and removes them.
 *
 * @param name - of the file, which must not be there
 * @returns why it can't be written; nothing where it can
 */
export function tryWrite(directory: string, name: string): string | undefined {
  const file = join(directory, `${name}-${process.pid}`)
  try {
    const handle = openSync(file, 'wx', 0o600)
    try {
      writeSync(handle, 'can this be written?\n')
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    return undefined
  } catch (error) {
    return reasonOf(error)
  } finally {
    try {
      rmSync(file, { force: true })
    } catch {
      // It was never there.
    }
  }
}
