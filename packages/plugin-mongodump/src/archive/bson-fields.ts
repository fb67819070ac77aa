/** What the headers of an archive hold. */
export type FieldValue = string | number | bigint | boolean | null

/** Bytes of an element's value, by its type, where they are always as many. */
const fixed: Readonly<Record<number, number>> = {
  0x01: 8,
  0x07: 12,
  0x08: 1,
  0x09: 8,
  0x0a: 0,
  0x10: 4,
  0x11: 8,
  0x12: 8,
}

/**
 * Reads the fields of a flat BSON document: those of an archive's headers. Other types than text, numbers and booleans
 * are stepped over. By hand, because a library for all of BSON would have to be loaded for these twenty bytes.
 *
 * @param document - all of it, from its length to its zero byte
 * @throws RangeError when it is no such document
 */
export function readFields(document: Uint8Array): ReadonlyMap<string, FieldValue> {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength)
  const fields = new Map<string, FieldValue>()
  const end = bytes.length - 1
  let at = 4
  while (at < end) {
    const type = bytes[at] as number
    const nameEnd = bytes.indexOf(0, at + 1)
    if (nameEnd === -1 || nameEnd >= end) throw new RangeError('a field has no end to its name')
    const name = bytes.toString('utf8', at + 1, nameEnd)
    at = nameEnd + 1
    const size = fixed[type] ?? sizeOf(type, bytes, at, name)
    if (at + size > end) throw new RangeError(`its field ${name} is longer than the document`)
    const value = valueOf(type, bytes, at, size)
    if (value !== undefined) fields.set(name, value)
    at += size
  }
  return fields
}

function sizeOf(type: number, bytes: Buffer, at: number, name: string): number {
  const length = at + 4 <= bytes.length ? bytes.readInt32LE(at) : -1
  if (length < 0) throw new RangeError(`its field ${name} has no length`)
  switch (type) {
    case 0x02:
      return 4 + length
    case 0x03:
    case 0x04:
      return Math.max(length, 5)
    case 0x05:
      return 5 + length
    default:
      throw new RangeError(`its field ${name} is of type 0x${type.toString(16)}`)
  }
}

function valueOf(type: number, bytes: Buffer, at: number, size: number): FieldValue | undefined {
  switch (type) {
    case 0x01:
      return bytes.readDoubleLE(at)
    case 0x02:
      return bytes.toString('utf8', at + 4, at + size - 1)
    case 0x08:
      return bytes[at] === 1
    case 0x0a:
      return null
    case 0x10:
      return bytes.readInt32LE(at)
    case 0x12:
      return bytes.readBigInt64LE(at)
    default:
      return undefined
  }
}
