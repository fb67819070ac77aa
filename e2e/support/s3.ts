// The kit's server that speaks S3: versitygw, which nobody who wrote the driver has had a hand in.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { selfSignedTls } from '@holdfast/testing'
import { succeed, waitFor } from './kubectl.ts'
import { freePort } from './mongo.ts'

const kit = join(import.meta.dirname, '../kit')
const installed = process.env['HOLDFAST_E2E_DIR'] ?? `${process.env['HOME']}/.cache/holdfast-e2e`

/** A server, and what a client of it needs in its environment. */
export interface S3Service {
  readonly endpoint: string
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** Installs the server where it is not there yet, and starts it. */
export async function startS3Service(): Promise<S3Service> {
  await succeed(join(kit, 'install.sh'), ['s3'])
  const stdout = await succeed(join(kit, 's3.sh'), ['up'])
  const variables = Object.fromEntries(
    [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  )
  const { S3_ENDPOINT: endpoint = '', ...env } = variables as Record<string, string>
  return {
    endpoint,
    env,
    async stop() {
      await succeed(join(kit, 's3.sh'), ['down'])
    },
  }
}

/** Another one, with TLS and a certificate of its own authority. It has the bucket `backups`. */
export async function startTlsService(): Promise<S3Service & { readonly authority: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-s3-'))
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const { key, cert } = selfSignedTls()
  const authority = file('cert.pem', cert)
  const env = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret-of-the-test' }
  mkdirSync(join(directory, 'data/backups'), { recursive: true })
  const address = `127.0.0.1:${await freePort()}`
  const server = spawn(
    join(installed, 'bin/versitygw'),
    [
      '--port',
      address,
      '--quiet',
      '--cert',
      authority,
      '--key',
      file('key.pem', key),
      'posix',
      join(directory, 'data'),
    ],
    {
      stdio: 'ignore',
      env: { ...process.env, ROOT_ACCESS_KEY: env.AWS_ACCESS_KEY_ID, ROOT_SECRET_KEY: env.AWS_SECRET_ACCESS_KEY },
    },
  )
  const endpoint = `https://${address}`
  await waitFor('the server to answer', () => succeed('curl', ['-sSk', endpoint]).catch(() => undefined))
  return {
    endpoint,
    env,
    authority,
    async stop() {
      const gone = new Promise((resolve) => server.once('close', resolve))
      if (server.exitCode === null && server.signalCode === null && server.kill('SIGKILL')) await gone
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
