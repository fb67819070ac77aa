interface Schema<T> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (
      value: unknown,
    ) =>
      | { readonly value: T; readonly issues?: undefined }
      | { readonly issues: readonly { readonly message: string; readonly path: readonly string[] }[] }
    readonly types?: { readonly input: T; readonly output: T } | undefined
  }
}

/**
 * A Standard Schema for objects whose keys are all known; or not, where `strict` is false.
 *
 * @param inside - the same for objects in it: name → known keys
 */
export function schemaOf<T extends object>(
  known: readonly (keyof T & string)[],
  strict = true,
  inside: Readonly<Record<string, readonly string[]>> = {},
): Schema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        const unknown: (readonly string[])[] = strict ? unknownKeys(value as object, known).map((key) => [key]) : []
        for (const [name, keys] of Object.entries(inside)) {
          const member = (value as Readonly<Record<string, object | undefined>>)[name]
          unknown.push(...unknownKeys(member ?? {}, keys).map((key) => [name, key]))
        }
        if (unknown.length === 0) return { value: value as T }
        return { issues: unknown.map((path) => ({ message: `unknown option ${path.join('.')}`, path })) }
      },
    },
  }
}

function unknownKeys(value: object, known: readonly string[]): readonly string[] {
  return Object.keys(value).filter((key) => !known.includes(key))
}
