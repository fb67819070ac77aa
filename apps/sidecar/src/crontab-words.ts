/** Everything that makes a shell do more than cut a line into words; `#` and `~` only where a word begins. */
const shellCharacters = new Set('|&;<>()$`*?[]{}!\n')

/**
 * Cuts a command into words as `sh` would: blanks, quotes, backslashes.
 *
 * @returns `undefined` when it takes a shell to say what the command means: pipes, redirections, variables, patterns,
 * assignments, quotes that don't end
 */
export function shellWords(command: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  for (let at = 0; at < command.length; at++) {
    const character = command.charAt(at)
    if (/[ \t]/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (character === "'") {
      const end = command.indexOf("'", at + 1)
      if (end === -1) return undefined
      word = (word ?? '') + command.slice(at + 1, end)
      at = end
    } else if (character === '"') {
      const quoted = doubleQuoted(command, at + 1)
      if (!quoted) return undefined
      word = (word ?? '') + quoted.text
      at = quoted.end
    } else if (character === '\\') {
      const next = command.charAt(at + 1)
      // At the very end, or before a line break, it means something else.
      if (next === '' || next === '\n') return undefined
      word = (word ?? '') + next
      at++
    } else {
      const begins = word === undefined
      if (shellCharacters.has(character) || (begins && /[#~]/.test(character))) return undefined
      word = (word ?? '') + character
    }
  }
  if (word !== undefined) words.push(word)
  // VARIABLE=value before a command.
  return /^[A-Za-z_]\w*=/.test(words[0] ?? '') ? undefined : words
}

function doubleQuoted(command: string, start: number): { readonly text: string; readonly end: number } | undefined {
  let text = ''
  for (let at = start; at < command.length; at++) {
    const character = command.charAt(at)
    if (character === '"') return { text, end: at }
    if (character === '$' || character === '`') return undefined
    if (character === '\\' && /["$`\\]/.test(command.charAt(at + 1))) at++
    text += command.charAt(at)
  }
  return undefined
}
