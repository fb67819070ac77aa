import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMarks } from '../../src/exec/container/marks.ts'

const prefix = 'holdfast abc '

function split(input: Buffer, sizes: readonly number[]): { readonly own: string; readonly marks: readonly string[] } {
  const marks: string[] = []
  const parts: Uint8Array[] = []
  const reader = createMarks(prefix, (text) => marks.push(text))
  let at = 0
  for (const size of sizes) {
    parts.push(Buffer.from(reader.push(input.subarray(at, at + size))))
    at += size
  }
  parts.push(Buffer.from(reader.push(input.subarray(at))), Buffer.from(reader.flush()))
  return { own: Buffer.concat(parts).toString('latin1'), marks }
}

describe('the marks in standard error', () => {
  it('are taken out, wherever the chunks are cut; every other byte stays', () => {
    const own = fc.oneof(
      fc.string(),
      fc.constantFrom('holdfast', 'holdfast abc', 'h', 'hold', '\n', 'holdfast abd x\n'),
    )
    const piece = fc.oneof(
      own.map((text) => ({ text, mark: undefined })),
      fc.constantFrom('ready', 'exit 0', 'sum 12').map((mark) => ({ text: `${prefix}${mark}\n`, mark })),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.nat(20), { maxLength: 30 }), (pieces, sizes) => {
        // Two that together look like a mark would be one.
        const text = pieces.map((each) => each.text).join('')
        const expected = pieces.filter(({ mark }) => mark === undefined).map((each) => each.text)
        fc.pre(text.split(prefix).length - 1 === pieces.filter(({ mark }) => mark !== undefined).length)
        const { own: rest, marks } = split(Buffer.from(text, 'latin1'), sizes)
        expect(rest).toBe(Buffer.from(expected.join(''), 'latin1').toString('latin1'))
        expect(marks).toEqual(pieces.flatMap(({ mark }) => mark ?? []))
      }),
    )
  })

  it('are short: what goes on and on without a newline is the command’s own', () => {
    const text = `${prefix}${'x'.repeat(5000)}\nend`
    expect(split(Buffer.from(text), [100, 100, 3000])).toEqual({ own: text, marks: [] })
  })

  it('hold nothing back that can be none, and hand the chunk itself on', () => {
    const reader = createMarks(prefix, () => {})
    const chunk = Buffer.from('nothing special')
    expect(reader.push(chunk)).toBe(chunk)
  })
})
