// The AWS SDK as it is in the bundle: half of it is left out, and everything that a pod gets its credentials from is there.
import { createServer, type Server } from 'node:http'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { awsEntry, awsForPods } from '../bundle/aws-sdk.ts'

/** What is used of it here. */
interface Aws {
  readonly S3Client: new (options: object) => { send(command: object): Promise<unknown>; destroy(): void }
  readonly ListObjectsV2Command: new (input: object) => object
}

let directory: string
let bundle: string
let service: Server
let keys: string[]
let address: string
const later = new Date(Date.now() + 3_600_000).toISOString()
const credentials = (key: string): string =>
  JSON.stringify({ Code: 'Success', Version: 1, AccessKeyId: key, SecretAccessKey: 's', Token: 't', Expiration: later })

/** S3, STS, the agent of EKS and the machine's metadata, all at one address. */
function answer(path: string, body: string): string {
  if (path === '/v1/credentials') return credentials('pod-identity')
  if (path === '/latest/api/token') return 'token'
  if (path === '/latest/meta-data/iam/security-credentials/') return 'role'
  if (path === '/latest/meta-data/iam/security-credentials/role') return credentials('metadata')
  if (body.includes('AssumeRole')) {
    const action = /Action=(\w+)/.exec(body)?.[1] ?? ''
    const key = action === 'AssumeRole' ? 'assumed-role' : 'service-account'
    return `<${action}Response><${action}Result><Credentials><AccessKeyId>${key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${later}</Expiration></Credentials></${action}Result></${action}Response>`
  }
  return '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'aws-sdk-'))
  bundle = join(directory, 'aws-s3.cjs')
  await build({
    entryPoints: [awsEntry],
    outfile: bundle,
    bundle: true,
    minify: true,
    format: 'cjs',
    platform: 'node',
    conditions: ['module'],
    mainFields: ['module', 'main'],
    supported: { 'dynamic-import': false },
    plugins: [awsForPods],
  })
  service = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const key = /Credential=([^/]+)\/.*\/s3\//.exec(request.headers.authorization ?? '')?.[1]
      if (key !== undefined) keys.push(key)
      response.end(answer(request.url ?? '', Buffer.concat(chunks).toString()))
    })
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
})
afterAll(async () => {
  rmSync(directory, { recursive: true })
  service.closeAllConnections()
  await new Promise((resolve) => service.close(resolve))
})
beforeEach(() => {
  keys = []
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_CONFIG_FILE', file('config', ''))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file('credentials', ''))
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_REGION', 'eu-central-1')
})
afterEach(() => vi.unstubAllEnvs())

function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

/** Whose key the bundle's SDK signs with. */
async function whose(): Promise<string | undefined> {
  const { S3Client, ListObjectsV2Command } = createRequire(import.meta.url)(bundle) as Aws
  const client = new S3Client({ endpoint: address, forcePathStyle: true, ignoreCache: true, maxAttempts: 1 })
  try {
    await client.send(new ListObjectsV2Command({ Bucket: 'b' }))
    return keys.at(-1)
  } finally {
    client.destroy()
  }
}

describe('credentials', () => {
  test('of the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'environment')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 's')
    expect(await whose()).toBe('environment')
  })

  test('of a mounted file, of a program, and of a role that a profile assumes', async () => {
    file('credentials', '[default]\naws_access_key_id=mounted\naws_secret_access_key=s\n')
    expect(await whose()).toBe('mounted')
    vi.stubEnv('AWS_ENDPOINT_URL_STS', address)
    file(
      'config',
      `[profile program]\ncredential_process = echo '${credentials('program')}'\n[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default\n`,
    )
    vi.stubEnv('AWS_PROFILE', 'program')
    expect(await whose()).toBe('program')
    vi.stubEnv('AWS_PROFILE', 'role')
    expect(await whose()).toBe('assumed-role')
  })

  test('of a service account (IRSA)', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', address)
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::1:role/r')
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', file('token', 'token'))
    expect(await whose()).toBe('service-account')
  })

  test('of EKS Pod Identity', async () => {
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${address}/v1/credentials`)
    vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', file('token', 'token'))
    expect(await whose()).toBe('pod-identity')
  })

  test('of the machine', async () => {
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined)
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', address)
    expect(await whose()).toBe('metadata')
  })

  test.each([
    ['IAM Identity Center', 'sso_start_url=https://x\nsso_account_id=1\nsso_region=eu-central-1\nsso_role_name=r\n'],
    ['aws login', 'login_session=x\n'],
  ])('of %s are refused, and it says why', async (_name, profile) => {
    file('config', `[default]\n${profile}`)
    await expect(whose()).rejects.toThrow(/logs in with a browser/)
  })
})

test('it stays as small as that', () => {
  const bytes = readFileSync(bundle)
  expect(bytes.length).toBeLessThan(320_000)
  expect(gzipSync(bytes).length).toBeLessThan(105_000)
})
