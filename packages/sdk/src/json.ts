/** A value, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>

/** JSON; `undefined` members are dropped on write. */
export type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json }

/** A stream of bytes, in chunks of any size. */
export type Bytes = AsyncIterable<Uint8Array>
