import { randomInt } from 'node:crypto'
import { errors } from '../errors.ts'

/** Benji's columns; SQLite takes more, PostgreSQL doesn't. */
const longest = 255
/** Of a uid, before its random end: a storage of files has a file of its name and `.meta`, which may have 255 bytes. */
const longestStem = 243
const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** A new version's uid: the volume with a dash for its slash, and six random characters, as Benji's tools have it. */
export function versionUid(volume: string): string {
  const end = Array.from({ length: 6 }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
  // One that begins with a dash is taken for an option.
  const stem = volume.replaceAll('/', '-').slice(0, longestStem).replace(/^-+/, '')
  return `${stem}-${end}`
}

/** Why Benji refuses a uid, volume, snapshot or value of a label; `undefined`: it doesn't. */
export function whyNoValue(text: string): string | undefined {
  if (text === '') return 'is empty'
  if (text.length > longest) return `has ${text.length} characters, ${longest} are allowed`
  if (!/^[A-Za-z0-9_.:/@+-]+$/.test(text)) return 'may only have letters, digits, and - _ . : / @ +'
  return /^-|-$/.test(text) ? 'begins or ends with a dash' : undefined
}

/** Why Benji refuses a label's name; `undefined`: it doesn't. */
export function whyNoLabelName(text: string): string | undefined {
  if (text.length > longest) return `has ${text.length} characters, ${longest} are allowed`
  const [name = '', prefix, ...more] = text.split('/').toReversed()
  if (more.length > 0) return 'has more than one slash'
  if (prefix !== undefined && !/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(prefix)) {
    return 'has a prefix that is no domain name'
  }
  if (name.length > 63 || !/^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(name)) {
    return 'is not 1 to 63 letters, digits, and - _ . that begin and end with a letter or digit'
  }
  return undefined
}

/**
 * Refuses what Benji would refuse only after the snapshot was made (K24).
 *
 * @throws HoldfastError `BENJI_NAME`
 */
export function requireVolume(volume: string): void {
  const problem = whyNoValue(volume)
  if (problem !== undefined) throw errors.BENJI_NAME({ what: 'volume', name: volume, problem })
}

/**
 * Refuses what Benji would refuse only after the snapshot was made (K24).
 *
 * @throws HoldfastError `BENJI_NAME`
 */
export function requireLabels(labels: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value = ''] of Object.entries(labels)) {
    const inName = whyNoLabelName(name)
    if (inName !== undefined) throw errors.BENJI_NAME({ what: 'label', name, problem: inName })
    const inValue = value === '' ? undefined : whyNoValue(value)
    if (inValue !== undefined)
      throw errors.BENJI_NAME({ what: `value of label ${name}`, name: value, problem: inValue })
  }
}
