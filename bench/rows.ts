import { createCipheriv } from 'node:crypto'

/** Bytes of a block of {@link rows}. */
export const rowBlockSize = 4 * 2 ** 20

/** Rows as a database has them, without an end: half random, half words; always the same, about 2:1 for zstd. */
export function* rows(): Generator<Buffer> {
  const random = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16))
  const zeros = Buffer.alloc(rowBlockSize)
  const words = Buffer.from('transfer from account to account, note: monthly rent and groceries; '.repeat(3))
  for (;;) {
    const block = random.update(zeros)
    for (let at = 0; at < rowBlockSize; at += 128) {
      const from = (block[at] ?? 0) & 63
      const length = 62 + ((block[at + 1] ?? 0) & 15)
      words.copy(block, at + 128 - length, from, from + length)
    }
    yield block
  }
}
