import { randomUUID } from 'node:crypto'

const taken = { second: '', endings: new Set<string>() }

/**
 * Sorts by time, is unique, and is short enough to type: `20261123T030000Z-3f9a1c0b`. A thousand plans may begin in one
 * second: chance alone would give two of them the same ending within weeks.
 */
export function newRunId(now: Date): string {
  const second = now.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  if (second !== taken.second) {
    taken.second = second
    taken.endings.clear()
  }
  let ending: string
  do ending = randomUUID().slice(0, 8)
  while (taken.endings.has(ending))
  taken.endings.add(ending)
  return `${second}-${ending}`
}
