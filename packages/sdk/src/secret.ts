/** Where a secret is, never the secret: safe in configuration dumps and in the journal. */
export type SecretRef = { readonly env: string } | { readonly file: string }

/**
 * A value that can't be printed, serialised or put into argv by accident: `reveal()` is the only way out.
 * Opening one makes it known to the redactor, which blanks it in every output.
 */
export interface Secret {
  /** The plain value. Hand it to an environment, a stdin or a library; never to argv or a log. */
  reveal(): string
}

/** Opens references at the time of use, so that rotated secrets work. */
export interface Secrets {
  /**
   * @throws HoldfastError `SECRET_MISSING` when the variable or file isn't there
   */
  open(ref: SecretRef): Promise<Secret>
}

const brand: unique symbol = Symbol.for('holdfast.secret') as never
/** What a secret is wherever it becomes text. */
export const secretAsText = '[secret]'

/**
 * Wraps a plain value as a {@link Secret}. Printing, JSON and string conversion show `[secret]`.
 *
 * @param value - the plain value
 * @example
 * ```ts
 * String(createSecret('hunter2')) // '[secret]'
 * ```
 */
export function createSecret(value: string): Secret {
  const secret = {
    reveal: () => value,
    toString: () => secretAsText,
    toJSON: () => secretAsText,
    [Symbol.toPrimitive]: () => secretAsText,
    [Symbol.for('nodejs.util.inspect.custom')]: () => secretAsText,
  }
  Object.defineProperty(secret, brand, { value: true })
  return Object.freeze(secret)
}

/** Whether a value is a {@link Secret}, of this copy of the SDK or another. */
export function isSecret(value: unknown): value is Secret {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
}
