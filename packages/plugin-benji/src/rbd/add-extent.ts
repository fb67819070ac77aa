import { open } from 'node:fs/promises'

/** Of a list's end: the bracket, and what `rbd` may print behind it. */
const longestTail = 4096

/**
 * Adds an extent to a list in a file, which `rbd diff` has written; what the list says of the same place already is no
 * matter.
 *
 * @param known - how many extents the list has
 */
export async function addExtent(
  file: string,
  known: number,
  { offset, length }: { readonly offset: number; readonly length: number },
): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    const { size } = await handle.stat()
    const start = Math.max(0, size - longestTail)
    const tail = Buffer.alloc(size - start)
    await handle.read(tail, 0, tail.length, start)
    const end = tail.lastIndexOf(']')
    if (end === -1) throw new Error(`the list of extents in ${file} does not end`)
    const extent = JSON.stringify({ offset, length, exists: 'true' })
    const added = Buffer.from(`${known === 0 ? '' : ','}${extent}]`)
    await handle.truncate(start + end)
    await handle.write(added, 0, added.length, start + end)
  } finally {
    await handle.close()
  }
}
