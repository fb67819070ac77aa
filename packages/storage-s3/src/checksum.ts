import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { S3Config } from './options.ts'

/** A checksum as requests have it; nothing where there is to be none. */
export interface Checksum {
  readonly ChecksumAlgorithm?: 'CRC32' | 'SHA256'
  /** Base64, as the other one. */
  readonly ChecksumCRC32?: string
  readonly ChecksumSHA256?: string
}

/** Sums up bytes as they come. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void
  value(): Checksum
}

/** A checksum of nothing yet. */
export function createChecksum(kind: S3Config['checksum']): RunningChecksum {
  if (kind === 'none') return { update() {}, value: () => ({}) }
  if (kind === 'sha256') {
    const hash = createHash('sha256')
    return {
      update: (bytes) => void hash.update(bytes),
      value: () => ({ ChecksumAlgorithm: 'SHA256', ChecksumSHA256: hash.digest('base64') }),
    }
  }
  let sum = 0
  return {
    update(bytes) {
      sum = crc32(bytes, sum)
    },
    value() {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(sum)
      return { ChecksumAlgorithm: 'CRC32', ChecksumCRC32: bytes.toString('base64') }
    },
  }
}
