import { errors } from '../errors.ts'

/** What a filter may ask about. Benji's documentation names others, which it doesn't know. */
export type FilterField = 'uid' | 'volume' | 'snapshot' | 'status'

/**
 * `volume == "web/data"`.
 *
 * @throws HoldfastError `BENJI_NAME` for a value that no filter can hold
 */
export function equals(field: FilterField, value: string): string {
  return `${field} == ${quote(value)}`
}

/**
 * `labels["benji-backup.me/instance"] == "east"`.
 *
 * @throws HoldfastError `BENJI_NAME` for a value that no filter can hold
 */
export function equalsLabel(name: string, value: string): string {
  return `labels[${quote(name)}] == ${quote(value)}`
}

/** Versions of snapshots whose names come no earlier than this one: names of backups' snapshots are times. */
export function sinceSnapshot(name: string): string {
  return `snapshot >= ${quote(name)}`
}

/** All of them. Empty ones ask for nothing. */
export function and(...filters: readonly string[]): string {
  const asked = filters.filter((filter) => filter.trim() !== '')
  return asked.length === 1 ? asked.join('') : asked.map((filter) => `(${filter})`).join(' and ')
}

/** Benji knows no escapes: a value can't hold the quote that it stands in. */
function quote(value: string): string {
  const refused =
    value.includes('"') && value.includes("'")
      ? 'both kinds of quotes'
      : /\p{Cc}/u.test(value)
        ? 'control characters'
        : undefined
  if (refused !== undefined)
    throw errors.BENJI_NAME({ what: 'value in a filter', name: value, problem: `has ${refused}` })
  return value.includes('"') ? `'${value}'` : `"${value}"`
}
