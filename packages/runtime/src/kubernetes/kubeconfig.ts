// Outside of pods: a kubeconfig, with all the ways to log in that kubectl's users have.
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import type { Agent, RequestOptions } from 'node:https'
import { delimiter } from 'node:path'
// This module is imported only where there is a kubeconfig: the library costs 30 MB of memory.
import { KubeConfig } from '@kubernetes/client-node'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import type { Connection, Credentials } from './connection.ts'

/**
 * The connection of a kubeconfig's current context. Its file is read again when it has changed.
 *
 * @param files - as in KUBECONFIG: one path, or several that are merged
 * @throws HoldfastError `KUBECONFIG_INVALID`
 */
export function kubeconfig(files: string): Connection {
  const source = `the kubeconfig ${files}`
  const paths = files.split(delimiter).filter((path) => path !== '')
  let stamp = ''
  let config: KubeConfig
  const load = (): void => {
    const loaded = new KubeConfig()
    const [first = '', ...more] = paths
    loaded.loadFromFile(first)
    for (const path of more) {
      const next = new KubeConfig()
      next.loadFromFile(path)
      loaded.mergeConfig(next)
    }
    checkServer(loaded)
    config = loaded
    stamp = stampOf(paths)
  }
  const current = (force: boolean): KubeConfig => {
    if (force || stampOf(paths) !== stamp) load()
    return config
  }

  try {
    const loaded = current(true)
    const context = loaded.getContextObject(loaded.getCurrentContext())
    return {
      server: new URL(loaded.getCurrentCluster()?.server ?? ''),
      namespace: context?.namespace ?? 'default',
      source,
      credentials: async ({ refresh = false } = {}) => credentialsOf(current(refresh)),
    }
  } catch (error) {
    throw errors.KUBECONFIG_INVALID({ source, reason: reasonOf(error) }, { cause: error })
  }
}

/** What the library would refuse at each call, as if it could get better. */
function checkServer(config: KubeConfig): void {
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new Error('it has no current context with a cluster')
  const { protocol } = new URL(cluster.server)
  if (protocol !== 'https:' && protocol !== 'http:') throw new Error(`its server is ${protocol}//, not https://`)
  if (protocol === 'http:' && !cluster.skipTLSVerify && !cluster.proxyUrl) {
    throw new Error('its server is http://, without encryption, and it does not say insecure-skip-tls-verify: true')
  }
}

async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions & { agent?: Agent } = {}
  await config.applyToHTTPSOptions(options)
  const { headers, auth, ca, cert, key, servername, rejectUnauthorized, agent } = options
  const tls = {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(servername && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  } as Credentials['tls']
  const basic: Record<string, string> = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  // It makes an agent in any case; only one that goes through a proxy is needed.
  const proxy = config.getCurrentCluster()?.proxyUrl
  return {
    headers: { ...plainHeaders(headers), ...basic },
    tls,
    agent: proxy ? agent : undefined,
    version: createHash('sha256')
      .update(JSON.stringify([ca, cert, key, servername, rejectUnauthorized, proxy]))
      .digest('hex'),
  }
}

function plainHeaders(headers: RequestOptions['headers']): Record<string, string> {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers ?? {})) if (value !== undefined) plain[name] = String(value)
  return plain
}

function stampOf(paths: readonly string[]): string {
  return paths.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 'missing').join()
}
