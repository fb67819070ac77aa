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

/** A Standard Schema for objects whose keys are all known; or not, where `strict` is false. */
export function schemaOf<T extends object>(known: readonly (keyof T & string)[], strict = true): Schema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        const unknown = Object.keys(value as object).filter((key) => !(known as readonly string[]).includes(key))
        if (!strict || unknown.length === 0) return { value: value as T }
        return { issues: unknown.map((key) => ({ message: `unknown option ${key}`, path: [key] })) }
      },
    },
  }
}
