/** One request that the server got. */
export interface FakeRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, readonly string[]>>
  /** As RBAC names it: `get`, `list`, `create`…; `''` outside the API's resources. */
  readonly verb: string
  readonly apiGroup: string
  /** With its subresource: `pods/exec`. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly userAgent: string
  /** Read as JSON where it is that, else text; `undefined` without one. */
  readonly body: unknown
  /** Requests with the same number came over the same TCP connection. */
  readonly connection: number
  /** The answer's HTTP status, 101 for an exec that opened; `undefined` while there is none. */
  readonly status: number | undefined
}

/** A request while it is worked on. */
export interface OpenRequest extends FakeRequest {
  body: unknown
  status: number | undefined
}
