/** A form shorter than this is not looked for: it would blank ordinary text. */
const shortestForm = 3
/** A line of a secret, or a piece of its base64 text, is looked for by itself from this length on. */
const shortestPart = 8
/** Longer forms are cut, so that the bytes a stream holds back stay few. */
const longestForm = 1024
/** Where base64(1) and openssl break their lines. */
const wrapColumns = [76, 64]

/**
 * What a secret may look like in an output: as it is, its longer lines, as JSON writes it, percent-encoded, and in
 * base64 (alone, wrapped, or at any place inside other data). All of them printable or as given; none shorter than
 * three characters.
 *
 * @param secret - the plain value
 * @returns the forms to look for; none when the value is too short to be told from ordinary text
 */
export function secretForms(secret: string): ReadonlySet<string> {
  const forms = new Set<string>()
  for (const value of new Set([secret, secret.trim()])) {
    if (value.length < shortestForm) continue
    for (const form of textForms(value)) forms.add(form)
    for (const form of base64Forms(Buffer.from(value))) forms.add(form)
  }
  for (const line of linesOf(secret)) for (const form of textForms(line)) forms.add(form)
  return new Set([...forms].filter((form) => form.length >= shortestForm).flatMap(cut))
}

function textForms(value: string): string[] {
  const forms = [value, JSON.stringify(value).slice(1, -1)]
  for (const encode of [encodeURIComponent, encodeURI]) {
    // A lone surrogate has no percent-encoding.
    const encoded = value.isWellFormed() ? encode(value) : value
    const lowerCase = encoded.replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())
    forms.push(encoded, lowerCase, encoded.replaceAll('%20', '+'))
  }
  return forms
}

function linesOf(secret: string): string[] {
  if (!secret.includes('\n')) return []
  // The armour of a PEM file is no secret.
  return secret
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length >= shortestPart && !line.startsWith('-----'))
}

function base64Forms(bytes: Buffer): string[] {
  const padded = bytes.toString('base64')
  const unpadded = padded.replaceAll('=', '')
  const forms = [padded, unpadded]
  for (const columns of wrapColumns) {
    if (unpadded.length <= columns) continue
    for (let at = 0; at < unpadded.length; at += columns) {
      const line = unpadded.slice(at, at + columns)
      if (line.length >= shortestPart) forms.push(line)
    }
  }
  // Inside other data: only the characters that no neighbouring byte changes. Three alignments are all there are.
  for (const before of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const core = shifted.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    if (core.length > shortestForm) forms.push(core)
  }
  return [...forms, ...forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))]
}

/** Every piece is looked for by itself, so a whole that is there is blanked piece by piece. */
function cut(form: string): string[] {
  if (form.length <= longestForm) return [form]
  const pieces: string[] = []
  for (let at = 0, end = 0; at < form.length; at = end) {
    end = at + longestForm
    // Never between the halves of a surrogate pair.
    if (/[\uDC00-\uDFFF]/.test(form.charAt(end))) end--
    pieces.push(form.slice(at, end))
  }
  const last = pieces.at(-1)
  if (last !== undefined && last.length < shortestPart) pieces.splice(-2, 2, pieces.at(-2) + last)
  return pieces
}
