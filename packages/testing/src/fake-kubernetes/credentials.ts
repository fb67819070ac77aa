import { randomBytes } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FakeTls } from './listener.ts'

/** The token that the server accepts, and the files that it is written to. */
export interface Credentials {
  readonly token: string
  accepts(authorization: string | undefined): boolean
  rotate(options: { readonly rewrite: boolean }): string
  kubeconfig(server: string, namespace: string): string
  serviceAccount(directory: string, namespace: string): void
}

export function createCredentials(tls: FakeTls | undefined): Credentials {
  const fresh = (): string => `fake-${randomBytes(18).toString('base64url')}`
  let token = fresh()
  const directories = new Set<string>()
  const ca = tls && (tls.ca ?? tls.cert)

  // Replaced at once, as the kubelet does: never half a token.
  const write = (directory: string, file: string, text: string): void => {
    writeFileSync(join(directory, `.${file}`), text, { mode: 0o600 })
    renameSync(join(directory, `.${file}`), join(directory, file))
  }

  return {
    get token() {
      return token
    },
    // In the clear kubectl sends no token at all.
    accepts: (authorization) => (authorization === undefined && !tls) || authorization === `Bearer ${token}`,
    rotate({ rewrite }) {
      token = fresh()
      if (rewrite) for (const directory of directories) write(directory, 'token', token)
      return token
    },
    kubeconfig(server, namespace) {
      const trust =
        ca === undefined
          ? 'insecure-skip-tls-verify: true'
          : `certificate-authority-data: ${Buffer.from(ca).toString('base64')}`
      return `apiVersion: v1
kind: Config
clusters:
  - name: fake
    cluster:
      server: ${server}
      ${trust}
users:
  - name: fake
    user:
      token: ${token}
contexts:
  - name: fake
    context:
      cluster: fake
      user: fake
      namespace: ${namespace}
current-context: fake
`
    },
    serviceAccount(directory, namespace) {
      mkdirSync(directory, { recursive: true })
      write(directory, 'token', token)
      write(directory, 'namespace', namespace)
      write(directory, 'ca.crt', ca ?? '')
      directories.add(directory)
    },
  }
}
