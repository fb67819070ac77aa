import { formatBytes } from '../../output/format.ts'
import { html, type Content, type Html } from './html.ts'

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const

/** How long ago something was, or how long it takes until then: `3 hours ago`, `in 2 days`. */
export function age(ms: number): string {
  const words = length(Math.abs(ms))
  if (words === undefined) return 'just now'
  return ms < 0 ? `in ${words}` : `${words} ago`
}

/** `undefined`: less than a second. */
function length(ms: number): string | undefined {
  // Less than twice a unit is told in the next smaller one: 36 hours, not 1 day.
  const found = units.find(([name, unit]) => ms >= unit * (name === 'second' ? 1 : 2)) ?? units[3]
  const [name, unit] = found
  const number = Math.floor(ms / unit)
  if (number === 0) return undefined
  return `${number} ${name}${number === 1 ? '' : 's'}`
}

/** A moment: how long ago in words, and exactly. */
export function moment(at: string | undefined, ageMs: number | undefined): Html | undefined {
  if (at === undefined || ageMs === undefined) return undefined
  return html`<time datetime="${at}">${age(ageMs)} <span class="exact">${exact(at)}</span></time>`
}

/** `2026-11-23 03:00:12 UTC`. */
export function exact(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`
}

/** A number of bytes. */
export function bytes(size: number | undefined): string {
  return size === undefined ? 'not known' : formatBytes(size)
}

/** What errors say: commands and settings stand between backticks in it. */
export function prose(text: string): Content {
  return text.split('`').map((part, index, all) => {
    // One that has no partner is a letter like others.
    if (index % 2 === 0) return part
    return index === all.length - 1 ? `\`${part}` : html`<code>${part}</code>`
  })
}
