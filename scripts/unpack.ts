// Reads single files out of archives, so that nothing but Node is needed for it.
import { inflateRawSync } from 'node:zlib'

const block = 512

/**
 * One file of a tar archive.
 *
 * @throws Error when it isn't there
 */
export function readTar(archive: Buffer, name: string): Buffer {
  for (let at = 0; at + block <= archive.length;) {
    const header = archive.subarray(at, at + block)
    const size = parseInt(text(header.subarray(124, 136)), 8) || 0
    const start = at + block
    if (text(header.subarray(0, 100)) === name) return whole(archive, start, size, name)
    at = start + Math.ceil(size / block) * block
  }
  throw new Error(`the archive has no file ${name}`)
}

/**
 * One file of a zip archive, stored or deflated.
 *
 * @throws Error when it isn't there or can't be read
 */
export function readZip(archive: Buffer, name: string): Buffer {
  const end = archive.lastIndexOf('PK\u0005\u0006', undefined, 'latin1')
  if (end === -1) throw new Error('this is no zip archive, or not all of one')
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  for (let entry = 0; entry < count; entry++) {
    const [method, stored, size] = [
      archive.readUInt16LE(at + 10),
      archive.readUInt32LE(at + 20),
      archive.readUInt32LE(at + 24),
    ]
    const nameLength = archive.readUInt16LE(at + 28)
    if (archive.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const local = archive.readUInt32LE(at + 42)
      // The local header has a name and extra fields of its own.
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
      const data = whole(archive, start, stored, name)
      const file = method === 0 ? data : inflateRawSync(data)
      if (file.length !== size) throw new Error(`${name} has ${file.length} bytes, not ${size}`)
      return file
    }
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
  }
  throw new Error(`the archive has no file ${name}`)
}

function whole(archive: Buffer, start: number, size: number, name: string): Buffer {
  if (start + size > archive.length) throw new Error(`the archive ends within ${name}`)
  return archive.subarray(start, start + size)
}

function text(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('latin1', 0, end === -1 ? field.length : end)
}
