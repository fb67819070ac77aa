// The service account of our own pod. Without the client library, which costs 30 MB that a daemon in a pod would pay
// for as long as it lives (docs/adr/0011-one-https-agent.md).
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RuntimeClock } from '../clock.ts'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import type { Connection } from './connection.ts'

/** Where Kubernetes mounts a pod's token. */
export const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The kubelet rotates tokens at 80 % of their life, an hour by default; reading a file of a tmpfs costs nothing. */
const rereadMs = 10_000

/** Options of {@link serviceAccount}. */
export interface ServiceAccountOptions {
  readonly env: NodeJS.ProcessEnv
  readonly clock: Pick<RuntimeClock, 'monotonic'>
  /** Default {@link serviceAccountDirectory}. */
  readonly directory?: string | undefined
}

/** The connection of the pod that we run in; `undefined` where there is no service account. */
export function serviceAccount(options: ServiceAccountOptions): Connection | undefined {
  const { env, clock, directory = serviceAccountDirectory } = options
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env
  if (!host || read(join(directory, 'token')) === undefined) return undefined
  let at = -Infinity
  let token = ''
  let ca: string | undefined

  const load = (): void => {
    // At a rotation the files are swapped; the last ones are good for a while.
    const fresh = read(join(directory, 'token'))?.trim()
    if (fresh) token = fresh
    ca = read(join(directory, 'ca.crt')) ?? ca
    at = clock.monotonic()
  }

  return {
    server: serverAt(host, port),
    namespace: read(join(directory, 'namespace'))?.trim() || env['POD_NAMESPACE'] || 'default',
    source: 'the service account',
    credentials: async ({ refresh = false } = {}) => {
      if (refresh || clock.monotonic() - at > rereadMs) load()
      return {
        headers: { authorization: `Bearer ${token}` },
        tls: ca === undefined ? {} : { ca },
        version: createHash('sha256')
          .update(ca ?? '')
          .digest('hex'),
      }
    },
  }
}

function serverAt(host: string, port: string): URL {
  try {
    // Not isIPv6 of node:net, whose pattern takes milliseconds to compile.
    return new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`)
  } catch (error) {
    const source = `KUBERNETES_SERVICE_HOST=${host} and KUBERNETES_SERVICE_PORT=${port}`
    throw errors.KUBECONFIG_INVALID({ source, reason: reasonOf(error) }, { cause: error })
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
