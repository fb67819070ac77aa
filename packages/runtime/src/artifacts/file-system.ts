import type * as nodeFs from 'node:fs/promises'

/** What the fs driver uses of `node:fs/promises`; tests put one in its place that is full or fails. */
export type FileSystem = Pick<typeof nodeFs, 'open' | 'mkdir' | 'rename' | 'unlink' | 'rmdir' | 'readdir' | 'lstat'>
