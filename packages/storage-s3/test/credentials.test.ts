import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { driverOf, failure, keys, pattern, partSize, put, useServers } from './support/driver.ts'
import type { S3Server } from './support/s3-server.ts'

const start = useServers()

let directory: string
const others: Server[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credentials-'))
  // Whatever this machine has counts for nothing.
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(directory, 'credentials'))
  vi.stubEnv('AWS_CONFIG_FILE', join(directory, 'config'))
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
  for (const server of others.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

const file = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

/** Something that is asked over HTTP: `METHOD /path` → what it says. */
async function service(answers: (request: string, body: string) => string | undefined): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const answer = answers(`${request.method} ${request.url}`, Buffer.concat(chunks).toString())
      response.writeHead(answer === undefined ? 404 : 200).end(answer)
    })
  })
  others.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const whose = ({ requests }: S3Server): string | undefined => requests.at(-1)?.accessKey
const later = new Date(Date.now() + 3_600_000).toISOString()

describe('the chain', () => {
  test('the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'from-environment')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    const server = await start()
    await keys(driverOf(server).driver)
    expect(whose(server)).toBe('from-environment')
  })

  test('a mounted file, and a profile of it', async () => {
    file(
      'credentials',
      '[default]\naws_access_key_id=from-file\naws_secret_access_key=s\n[backup]\naws_access_key_id=from-profile\naws_secret_access_key=s\n',
    )
    const server = await start()
    await keys(driverOf(server).driver)
    expect(whose(server)).toBe('from-file')
    vi.stubEnv('AWS_PROFILE', 'backup')
    await keys(driverOf(server, { region: 'us-east-1' }).driver)
    expect(whose(server)).toBe('from-profile')
  })

  test('a program that a profile names', async () => {
    const answer = JSON.stringify({ Version: 1, AccessKeyId: 'from-process', SecretAccessKey: 's' })
    file('config', `[default]\ncredential_process = echo '${answer}'\n`)
    const server = await start()
    await keys(driverOf(server).driver)
    expect(whose(server)).toBe('from-process')
  })

  test('the role of a service account (IRSA): its token is exchanged at STS', async () => {
    const bodies: string[] = []
    const sts = await service((_request, body) => {
      bodies.push(body)
      return `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>from-irsa</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${later}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
    })
    vi.stubEnv('AWS_ENDPOINT_URL_STS', sts)
    vi.stubEnv('AWS_REGION', 'eu-central-1')
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/backup')
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', file('token', 'token-of-the-account'))
    const server = await start()
    await keys(driverOf(server).driver)
    expect(whose(server)).toBe('from-irsa')
    expect(bodies.join()).toContain('WebIdentityToken=token-of-the-account')
    expect(bodies.join()).toContain('role%2Fbackup')
  })

  test('EKS Pod Identity: the agent on the node', async () => {
    const agent = await service((request) =>
      request === 'GET /v1/credentials'
        ? JSON.stringify({ AccessKeyId: 'from-pod-identity', SecretAccessKey: 's', Token: 't', Expiration: later })
        : undefined,
    )
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${agent}/v1/credentials`)
    vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', file('token', 'token-of-the-pod'))
    const server = await start()
    await keys(driverOf(server).driver)
    expect(whose(server)).toBe('from-pod-identity')
  })

  test("the machine's metadata service", async () => {
    const imds = await service((request) => {
      if (request === 'PUT /latest/api/token') return 'token'
      if (request === 'GET /latest/meta-data/iam/security-credentials/') return 'role'
      if (request === 'GET /latest/meta-data/iam/security-credentials/role')
        return JSON.stringify({
          Code: 'Success',
          AccessKeyId: 'from-imds',
          SecretAccessKey: 's',
          Token: 't',
          Expiration: later,
        })
      return undefined
    })
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined)
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', imds)
    const server = await start()
    await keys(driverOf(server).driver)
    expect(whose(server)).toBe('from-imds')
  })

  test('none at all', async () => {
    const server = await start()
    const error = await failure(keys(driverOf(server).driver))
    expect(error.code).toBe('STORAGE_CREDENTIALS_MISSING')
    expect(error.message).toBe('no credentials for s3://backups: Could not load credentials from any providers')
    expect(server.requests).toEqual([])
  })
})

describe('rotation under a process that runs for months', () => {
  const credentials = (key: string): string => `[default]\naws_access_key_id=${key}\naws_secret_access_key=s\n`

  test.each(['InvalidAccessKeyId', 'ExpiredToken'])(
    'a mounted file that was replaced is read again after %s',
    async (code) => {
      file('credentials', credentials('old'))
      let valid = 'old'
      const server = await start({
        fault: ({ accessKey }) => (accessKey === valid ? undefined : { status: 403, code }),
      })
      const { driver } = driverOf(server)
      await put(driver, 'k', 'x')
      valid = 'new'
      file('credentials', credentials('new'))
      await put(driver, 'k', 'y')
      expect(whose(server)).toBe('new')
    },
  )

  test('in the middle of an upload, the upload goes on', async () => {
    file('credentials', credentials('old'))
    let valid = 'old'
    const server = await start({
      fault: ({ accessKey, part }) => {
        if (part === 3 && valid === 'old') {
          valid = 'new'
          file('credentials', credentials('new'))
        }
        return accessKey === valid ? undefined : { status: 400, code: 'ExpiredToken' }
      },
    })
    const { driver } = driverOf(server)
    await put(driver, 'dump', pattern(5 * partSize))
    expect(server.objects.get('dump')?.size).toBe(5 * partSize)
  })

  test('keys that are simply wrong are tried twice, and no more', async () => {
    file('credentials', credentials('wrong'))
    const server = await start({ fault: () => ({ status: 403, code: 'InvalidAccessKeyId', message: 'no such key' }) })
    const error = await failure(keys(driverOf(server).driver))
    expect(error.code).toBe('STORAGE_CREDENTIALS_REFUSED')
    expect(server.requests).toHaveLength(2)
  })
})

test('a clock that is wrong by hours is made up for, as the service tells the time', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  const there = Date.now() + 5 * 3_600_000
  const server = await start({
    fault: ({ headers }) => {
      const [, year, month, day, hour, minute, second] =
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headers['x-amz-date'] ?? '') ?? []
      const signed = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
      if (Math.abs(signed - there) < 900_000) return undefined
      return { status: 403, code: 'RequestTimeTooSkewed', headers: { date: new Date(there).toUTCString() } }
    },
  })
  const { driver } = driverOf(server)
  await put(driver, 'k', 'x')
  expect(await keys(driver)).toEqual(['k'])
})
