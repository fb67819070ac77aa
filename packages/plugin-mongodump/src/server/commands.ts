import type { Json } from '@holdfast/sdk'

/** A command to a server, or the question which collections a database has. Its values are Extended JSON. */
export interface Command {
  readonly database: string
  /** Its first key is its name. */
  readonly command?: Readonly<Record<string, Json>>
  readonly collections?: true
}

/** What a server answered, with numbers as numbers; of `collections` their descriptions, as `documents`. */
export type Reply = Readonly<Record<string, unknown>>

/** Why a command was refused. */
export interface CommandFailure {
  /** MongoDB's own. 13 is Unauthorized, 18 AuthenticationFailed, 59 CommandNotFound. */
  readonly code: number | undefined
  readonly message: string
}

/** How one command went. */
export type Answer =
  | { readonly reply: Reply; readonly failure?: undefined }
  | { readonly failure: CommandFailure; readonly reply?: undefined }

/** Sends commands to a server. */
export interface Commands {
  readonly via: 'driver' | 'mongosh'
  /**
   * One after the other; each has its answer, in its place.
   *
   * @throws ConnectionFailure when the server can't be talked to
   */
  ask(commands: readonly Command[]): Promise<readonly Answer[]>
  close(): Promise<void>
}

/** A server that can't be talked to: unreachable, or it doesn't let us in. */
export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure'
  readonly code: number | undefined
  /** It is we who can't: a kind of login or a server's version that the driver doesn't know, and mongodump may. */
  readonly unable: boolean

  constructor(message: string, options: ConnectionFailureOptions = {}) {
    super(message, { cause: options.cause })
    this.code = options.code
    this.unable = options.unable ?? false
  }
}

/** Options of {@link ConnectionFailure}. */
export interface ConnectionFailureOptions {
  readonly code?: number | undefined
  readonly unable?: boolean | undefined
  readonly cause?: unknown
}
