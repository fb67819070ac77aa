import type { Json } from './json.ts'

/** The shape of {@link HoldfastError}, and of what the journal and JSON output keep of one. */
export interface HoldfastFailure {
  /** Permanent, in upper snake case: `EXEC_TIMEOUT`. */
  readonly code: string
  /** One line: what happened. */
  readonly message: string
  /** What to do about it. */
  readonly hint?: string | undefined
  /** Where to read more. */
  readonly docs?: string | undefined
  /** Whether trying again can help. */
  readonly retryable: boolean
  readonly plugin?: string | undefined
  readonly hook?: string | undefined
  readonly target?: string | undefined
  readonly run?: string | undefined
  readonly details: Readonly<Record<string, Json>>
  readonly cause?: unknown
}

const brand = Symbol.for('holdfast.error')

/** What a {@link HoldfastError} is made of. */
export interface HoldfastErrorOptions {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  readonly docs?: string | undefined
  readonly retryable?: boolean | undefined
  readonly plugin?: string | undefined
  readonly hook?: string | undefined
  readonly target?: string | undefined
  readonly run?: string | undefined
  readonly details?: Readonly<Record<string, Json>> | undefined
  readonly cause?: unknown
}

/**
 * An error that says what happened, and what to do. Branded by a global symbol, so that two copies of the SDK
 * understand each other: test with {@link isHoldfastError}, not `instanceof`.
 *
 * @example
 * ```ts
 * throw new HoldfastError({ code: 'DUMP_EMPTY', message: 'the dump has no bytes', hint: 'Check the credentials.' })
 * ```
 */
export class HoldfastError extends Error implements HoldfastFailure {
  override readonly name: string = 'HoldfastError'
  readonly code: string
  readonly hint: string | undefined
  readonly docs: string | undefined
  readonly retryable: boolean
  readonly plugin: string | undefined
  readonly hook: string | undefined
  readonly target: string | undefined
  readonly run: string | undefined
  readonly details: Readonly<Record<string, Json>>

  constructor(options: HoldfastErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
    this.hint = options.hint
    this.docs = options.docs
    this.retryable = options.retryable ?? false
    this.plugin = options.plugin
    this.hook = options.hook
    this.target = options.target
    this.run = options.run
    this.details = options.details ?? {}
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether a value is a {@link HoldfastError}, of this copy of the SDK or another. */
export function isHoldfastError(value: unknown): value is HoldfastError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
}

/** One entry of an error catalogue; `Params` are what its message is made from. */
export interface ErrorDefinition<Params> {
  /** One line: what happened, and to what. */
  readonly message: (params: Params) => string
  /** What it means for the backups and what to do. */
  readonly hint: string | ((params: Params) => string)
  /** @defaultValue false */
  readonly retryable?: boolean
}

/** Makes errors of one code. */
export interface ErrorFactory<Params> {
  (
    params: Params,
    options?: Partial<
      Pick<HoldfastErrorOptions, 'cause' | 'details' | 'plugin' | 'hook' | 'target' | 'run' | 'retryable'>
    >,
  ): HoldfastError
  readonly code: string
}

/** A badly written code turns into a readable type error where it is used. */
type Factories<Params> = {
  readonly [Code in keyof Params]: Code extends Uppercase<Code & string>
    ? ErrorFactory<Params[Code]>
    : 'error codes are UPPER_SNAKE_CASE'
}

/**
 * Declares a package's errors in one place. String and number parameters become the error's `details`.
 *
 * @param catalogue - code → message, hint; codes are upper snake case and permanent
 * @param docs - where the codes are documented; the code in lower case becomes the anchor
 * @example
 * ```ts
 * const errors = defineErrors({
 *   DUMP_EMPTY: {
 *     message: (p: { database: string }) => `the dump of ${p.database} has no bytes`,
 *     hint: 'Nothing was stored; the last backup is untouched. Check the credentials.',
 *   },
 * })
 * throw errors.DUMP_EMPTY({ database: 'shop' })
 * ```
 */
export function defineErrors<Params>(
  catalogue: { readonly [Code in keyof Params]: ErrorDefinition<Params[Code]> },
  docs?: string,
): Factories<Params> {
  const factories: Record<string, ErrorFactory<Record<string, Json>>> = {}
  for (const [code, definition] of Object.entries<ErrorDefinition<Record<string, Json>>>(catalogue as never)) {
    const create = (params: Record<string, Json>, options?: Partial<HoldfastErrorOptions>): HoldfastError =>
      new HoldfastError({
        ...options,
        code,
        message: definition.message(params),
        hint: typeof definition.hint === 'string' ? definition.hint : definition.hint(params),
        docs: docs === undefined ? undefined : `${docs}#${code.toLowerCase()}`,
        retryable: options?.retryable ?? definition.retryable ?? false,
        details: { ...params, ...options?.details },
      })
    factories[code] = Object.assign(create, { code })
  }
  return factories as unknown as Factories<Params>
}
