/** Where to restore to, as `--to` says. */
export interface Place {
  /** A plain `--to`. */
  readonly path: string | undefined
  /** For a plugin; a plain `--to PLACE` is `path=PLACE`. */
  readonly options: Readonly<Record<string, string>>
}

/** Reads the values of `--to`. */
export function parsePlace(to: readonly string[]): Place {
  const options: Record<string, string> = {}
  for (const value of to) {
    const [, key, text = ''] = /^([A-Za-z][\w-]*)=(.*)$/s.exec(value) ?? []
    options[key ?? 'path'] = key === undefined ? value : text
  }
  return { path: options['path'], options }
}

/** Whether the bytes are asked for on standard output: `--to -`. */
export function isStandardOutput({ path }: Place): boolean {
  return path === '-'
}
