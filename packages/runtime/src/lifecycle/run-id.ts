import { randomUUID } from 'node:crypto'

/** Sorts by time, is unique, and is short enough to type: `20261123T030000Z-3f9a1c0b`. */
export function newRunId(now: Date): string {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  return `${time}-${randomUUID().slice(0, 8)}`
}
