/** What one look at an installation found. */
export interface Finding {
  readonly check: string
  /** `warning`: backups work, but not as well as they could. `problem`: they don't. */
  readonly status: 'ok' | 'warning' | 'problem'
  readonly message: string
  /** What to do about it. */
  readonly hint?: string | undefined
}

/** Says that all is well. */
export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message }
}

/** Says that something could be better. */
export function warning(check: string, message: string, hint: string): Finding {
  return { check, status: 'warning', message, hint }
}

/** Says that something doesn't work. */
export function problem(check: string, message: string, hint: string): Finding {
  return { check, status: 'problem', message, hint }
}
