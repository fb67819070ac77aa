// The kit's server that speaks S3: versitygw, which nobody who wrote the driver has had a hand in.
import { spawn, type ChildProcess } from 'node:child_process'
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
  readonly env: Readonly<Record<'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>>
  stop(): Promise<void>
}

/** Installs the server where it is not there yet, and starts it. */
export async function startS3Service(): Promise<S3Service> {
  await succeed(join(kit, 'install.sh'), ['s3'])
  const stdout = await succeed(join(kit, 's3.sh'), ['up'])
  const variables: Record<string, string | undefined> = Object.fromEntries(
    [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value]) => [name, value]),
  )
  const { S3_ENDPOINT = '', AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = variables
  return {
    endpoint: S3_ENDPOINT,
    env: { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY },
    async stop() {
      await succeed(join(kit, 's3.sh'), ['down'])
    },
  }
}

/** Starts one of a test's own, without TLS, with a bucket. */
export async function startOwnService(bucket: string): Promise<S3Service> {
  await succeed(join(kit, 'install.sh'), ['s3'])
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-s3-'))
  mkdirSync(join(directory, bucket))
  const address = `127.0.0.1:${await freePort()}`
  const user = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret-of-the-test' }
  const env = { ...process.env, ROOT_ACCESS_KEY: user.AWS_ACCESS_KEY_ID, ROOT_SECRET_KEY: user.AWS_SECRET_ACCESS_KEY }
  const args = ['--port', address, '--quiet', 'posix', directory]
  const server = spawn(join(installed, 'bin/versitygw'), args, { stdio: 'ignore', env })
  const endpoint = `http://${address}`
  await waitFor('the server to answer', () => succeed('curl', ['-sS', endpoint]).catch(() => undefined))
  return {
    endpoint,
    env: user,
    async stop() {
      const gone = new Promise((resolve) => server.once('close', resolve))
      if (server.exitCode === null && server.signalCode === null && server.kill('SIGKILL')) await gone
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** One with TLS and a certificate of its own authority. */
export interface TlsService extends S3Service {
  readonly authority: string
  /** Kills it. Its objects stay. */
  pause(): Promise<void>
  resume(): Promise<void>
}

/**
 * Starts another one, with the bucket `backups`.
 *
 * @param user - whose credentials it takes
 */
export async function startTlsService(
  user = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret-of-the-test' },
): Promise<TlsService> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-s3-'))
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const { key, cert } = selfSignedTls()
  const authority = file('cert.pem', cert)
  const data = join(directory, 'data')
  mkdirSync(join(data, 'backups'), { recursive: true })
  const address = `127.0.0.1:${await freePort()}`
  const endpoint = `https://${address}`
  const args = ['--port', address, '--quiet', '--cert', authority, '--key', file('key.pem', key), 'posix', data]
  const env = { ...process.env, ROOT_ACCESS_KEY: user.AWS_ACCESS_KEY_ID, ROOT_SECRET_KEY: user.AWS_SECRET_ACCESS_KEY }
  const launch = async (): Promise<ChildProcess> => {
    const started = spawn(join(installed, 'bin/versitygw'), args, { stdio: 'ignore', env })
    await waitFor('the server to answer', () => succeed('curl', ['-sSk', endpoint]).catch(() => undefined))
    return started
  }
  let server = await launch()
  const pause = async (): Promise<void> => {
    const gone = new Promise((resolve) => server.once('close', resolve))
    if (server.exitCode === null && server.signalCode === null && server.kill('SIGKILL')) await gone
  }
  return {
    endpoint,
    env: user,
    authority,
    pause,
    async resume() {
      server = await launch()
    },
    async stop() {
      await pause()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
