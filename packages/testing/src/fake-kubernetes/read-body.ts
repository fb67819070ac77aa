import type { IncomingMessage } from 'node:http'
import { readProtobuf } from './protobuf.ts'
import { StatusError, badRequest } from './status.ts'

/** The body of a request. */
export interface Body {
  /** JSON where it is that, else text; `undefined` when there is none. */
  readonly value: unknown
  /** Why a server can't use it. */
  readonly problem: StatusError | undefined
}

/** What a real server takes. */
const limit = 3 << 20

/** Reads a request's body to its end. YAML is taken where it is JSON, which is what kubectl sends. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk as Uint8Array)
  const bytes = Buffer.concat(chunks)
  if (bytes.length === 0) return { value: undefined, problem: undefined }
  const text = bytes.toString()
  if (bytes.length > limit) {
    const message = `Request entity too large: limit is ${limit}`
    return { value: text, problem: new StatusError(413, 'RequestEntityTooLarge', message) }
  }
  const type = request.headers['content-type'] ?? 'application/json'
  if (!/json|yaml|\*/.test(type)) {
    const value = type.includes('protobuf') ? readProtobuf(bytes) : undefined
    if (value !== undefined) return { value, problem: undefined }
    const message = 'the body of the request was in an unknown format - accepted media types include: application/json'
    return { value: text, problem: new StatusError(415, 'UnsupportedMediaType', message) }
  }
  try {
    return { value: JSON.parse(text) as unknown, problem: undefined }
  } catch (error) {
    return {
      value: text,
      problem: badRequest(
        `the object provided is unrecognized: couldn't get version/kind; json parse error: ${(error as Error).message}`,
      ),
    }
  }
}
