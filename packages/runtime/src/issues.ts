/** What a schema has against a value: an issue of Standard Schema, or one of a library that is much like it. */
interface Issue {
  readonly message: string
  /** Of others' making, so anything may be in it. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey } | null)[] | undefined
}

/** Issues on one line: `path: Invalid input; Unrecognized key: "pth"`. */
export function issuesText(issues: readonly Issue[]): string {
  const each = issues.map(({ message, path = [] }) => {
    const keys = path.map((part) => String(typeof part === 'object' && part !== null ? part.key : part)).join('.')
    return keys === '' ? message : `${keys}: ${message}`
  })
  return each.join('; ')
}

/** The issues of an error that a schema threw. Its message may be all of them as JSON, which begins with a bracket. */
export function issuesOf(thrown: Error): readonly Issue[] | undefined {
  const { issues } = thrown as { readonly issues?: unknown }
  return Array.isArray(issues) && issues.length > 0 && issues.every(isIssue) ? issues : undefined
}

function isIssue(value: unknown): value is Issue {
  if (typeof value !== 'object' || value === null) return false
  const { message, path } = value as { readonly message?: unknown; readonly path?: unknown }
  return typeof message === 'string' && (path === undefined || Array.isArray(path))
}
