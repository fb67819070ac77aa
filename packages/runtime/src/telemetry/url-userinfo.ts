const longestAuthority = 2048

/**
 * Blanks the password in every `scheme://user:password@host` of a text. By hand and not by a regular expression: one
 * that begins at the scheme needs quadratic time on a long word.
 */
export function redactUserinfo(text: string, replacement: string): string {
  let out = ''
  let done = 0
  for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', at + 3)) {
    if (!/[a-z0-9+.-]/i.test(text[at - 1] ?? '')) continue
    const authority = text.slice(at + 3, at + 3 + longestAuthority).split(/[\s/?#"'<>`\\]/, 1)[0] ?? ''
    const end = authority.lastIndexOf('@')
    const colon = authority.indexOf(':')
    if (colon === -1 || end <= colon + 1) continue
    out += text.slice(done, at + 3 + colon + 1) + replacement
    done = at + 3 + end
  }
  return done === 0 ? text : out + text.slice(done)
}
