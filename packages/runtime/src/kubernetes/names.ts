import { createHash } from 'node:crypto'

const label = /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/
const object = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** A text as the value of a label: itself where that may be, else one that is as unique. */
export function labelValue(text: string): string {
  return label.test(text) ? text : `sha256-${digest(text)}`
}

/** The name of an object that is made from a text: the same where that may be, else one that is as unique. */
export function objectName(prefix: string, text: string): string {
  const name = `${prefix}${text}`
  if (object.test(name)) return name
  const safe = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  // Two instances must not share what only one of them is meant to have.
  return `${safe.slice(0, 46).replaceAll(/^-+|-+$/g, '')}-${digest(text)}`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
