/** Takes what the wrapper says out of a command's output. */
export interface Marks {
  /** @returns the bytes that are the command's own; the chunk itself where nothing was taken out or held back */
  push(chunk: Uint8Array): Uint8Array
  /** At the end: what was held back and is the command's own after all. */
  flush(): Uint8Array
}

const newline = 10
/** A mark is short; what has the prefix but goes on and on is none. */
const longestMark = 1024
const nothing = new Uint8Array()

/**
 * Creates a {@link Marks}. A mark is the prefix, a text and a newline, wherever it stands.
 *
 * @param prefix - ASCII; nobody but the wrapper knows it, so no command can print one
 * @param onMark - `behind`: bytes that are there already and come after it
 */
export function createMarks(prefix: string, onMark: (text: string, behind: number) => void): Marks {
  const sought = Buffer.from(prefix, 'latin1')
  let held: Uint8Array = nothing

  return {
    push(chunk) {
      let rest = held.length === 0 ? view(chunk) : Buffer.concat([held, chunk])
      held = nothing
      let own: Uint8Array[] | undefined
      for (let at = rest.indexOf(sought); at !== -1; at = rest.indexOf(sought)) {
        own ??= []
        own.push(rest.subarray(0, at))
        const end = rest.indexOf(newline, at)
        if (end === -1 && rest.length - at <= longestMark) {
          held = Uint8Array.prototype.slice.call(rest, at)
          return Buffer.concat(own)
        }
        if (end === -1 || end - at > longestMark) {
          own.push(rest.subarray(at, at + sought.length))
          rest = rest.subarray(at + sought.length)
        } else {
          onMark(rest.toString('latin1', at + sought.length, end), rest.length - end - 1)
          rest = rest.subarray(end + 1)
        }
      }
      const open = openEnd(rest, sought)
      if (open > 0) {
        held = Uint8Array.prototype.slice.call(rest, rest.length - open)
        rest = rest.subarray(0, rest.length - open)
      }
      return own ? Buffer.concat([...own, rest]) : rest
    },
    flush() {
      const rest = held
      held = nothing
      return rest
    },
  }
}

/** How many of the last bytes may be the beginning of what is sought. */
function openEnd(data: Buffer, sought: Buffer): number {
  for (let length = Math.min(sought.length - 1, data.length); length > 0; length--) {
    // Nearly always no: a comparison costs a hundred times as much, and each chunk of a backup comes by here.
    if (data[data.length - length] !== sought[0]) continue
    if (data.compare(sought, 0, length, data.length - length) === 0) return length
  }
  return 0
}

function view(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}
