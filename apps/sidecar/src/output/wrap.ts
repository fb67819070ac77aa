/**
 * Breaks a text between words.
 *
 * @param width - characters per line; `undefined`: it isn't broken
 */
export function wrap(text: string, width: number | undefined): readonly string[] {
  if (width === undefined) return text.split('\n')
  return text.split('\n').flatMap((line) => {
    const lines: string[] = []
    let current = ''
    for (const word of line.split(' ')) {
      if (current !== '' && current.length + 1 + word.length > width) {
        lines.push(current)
        current = word
      } else current = current === '' ? word : `${current} ${word}`
    }
    return [...lines, current]
  })
}
