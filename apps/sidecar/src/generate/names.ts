import { errors } from '../errors.ts'

// What Kubernetes allows as a name: a label of RFC 1123, which is what namespaces, containers and volumes need. Other
// objects may have longer names, but all of ours are parts of the name of a volume or a container somewhere.

/** The most characters of a label. */
export const longestLabel = 63

/** What a label may be, for messages. */
export const labelRule = 'lower-case letters, digits and "-", a letter or digit first and last'

/** Whether a text is a label, whatever its length. */
export function isLabel(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)
}

/** The label that somebody may have meant; `undefined` when nothing is left of the text. */
export function nearestLabel(text: string): string | undefined {
  const label = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return label === '' ? undefined : label
}

/** A name of ours as Kubernetes has it: hooks and sidefridge's projects are written with underscores. */
export function dashed(name: string): string {
  return name.replaceAll('_', '-')
}

/**
 * A name that was made of labels, if it is not too long.
 *
 * @throws HoldfastError `GENERATE_NAME_LONG`
 */
export function checkName(what: string, name: string, limit: number = longestLabel): string {
  if (name.length > limit) throw errors.GENERATE_NAME_LONG({ what, name, length: name.length, limit })
  if (!isLabel(name)) throw new Error(`"${name}" is no name for a ${what}`)
  return name
}
