/** What a drill is called beside plans and participants, whose names have no colon. */
const prefix = 'drill:'

/** A drill's name where plans and participants have theirs: in the scheduler, on an armed undo. */
export function drillId(name: string): string {
  return `${prefix}${name}`
}

/** The drill of such a name; `undefined`: it is another's. */
export function drillOfId(id: string): string | undefined {
  return id.startsWith(prefix) ? id.slice(prefix.length) : undefined
}
