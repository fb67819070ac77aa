// What bin/save_artifact writes before it does anything else, so that one that is killed before it has said what it saves
// does not go unnoticed. A mark is the id of its process, a space, the name, and a byte 0.
import { readFileSync } from 'node:fs'

/** Where the calls of one script leave their marks: beside the socket, as the command itself works it out. */
export function marksOf(socket: string, token: string): string {
  return `${socket.slice(0, socket.lastIndexOf('/'))}/${token}`
}

/**
 * Names of calls that began and were never heard, unless a later call of the same name was.
 *
 * @param heard - ids of the processes that said what they save; the shell that leaves the mark becomes that process
 */
export function unheard(path: string, heard: readonly number[]): readonly string[] {
  const left = [...heard]
  const madeUpFor = new Set<string>()
  const names = new Set<string>()
  // From the end: where an id was given out twice, the later one was heard.
  for (const { pid, name } of readMarks(path).toReversed()) {
    const index = left.lastIndexOf(pid)
    if (index !== -1) {
      left.splice(index, 1)
      madeUpFor.add(name)
    } else if (!madeUpFor.has(name)) names.add(name)
  }
  return [...names]
}

function readMarks(path: string): readonly { readonly pid: number; readonly name: string }[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    // The script has called nothing.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return text
    .split('\0')
    .filter((mark) => mark !== '')
    .map((mark) => {
      const space = mark.indexOf(' ')
      return { pid: Number(mark.slice(0, space)), name: mark.slice(space + 1) }
    })
}
