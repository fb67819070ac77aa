import type { Agent } from 'node:http'
import type { ConnectionOptions } from 'node:tls'

/** How to reach the API server, and as whom. One per process; everything that talks to the API shares it. */
export interface Connection {
  /** The API server; may have a path. */
  readonly server: URL
  /** Ours: what is meant where no namespace is named. */
  readonly namespace: string
  /** Where it comes from, for messages: `the service account` or a kubeconfig. */
  readonly source: string
  /**
   * What a request is made with, as it is now: tokens and certificates rotate.
   *
   * @param options - `refresh`: the server refused the last ones; read them again
   */
  credentials(options?: { readonly refresh?: boolean | undefined }): Promise<Credentials>
}

/** What a request is made with. */
export interface Credentials {
  /** `authorization`, where a token is used. */
  readonly headers: Readonly<Record<string, string>>
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>
  /** A proxy that the kubeconfig names; then nothing else can be used to connect. */
  readonly agent?: Agent | undefined
  /** Changes when `tls` or `agent` did: connections made with another one are not used again. */
  readonly version: string
}
