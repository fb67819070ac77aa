import { advanceUntil, selfSignedTls } from '@holdfast/testing'
import { email, HoldfastError, type EmailOptions, type NotifierSettings } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { testRun } from '../lifecycle/test-run.ts'
import { mailServer, type MailServer, type MailServerOptions } from './smtp.ts'
import { certificateFile, orders } from './support.ts'

const broken = new HoldfastError({ code: 'DISK_FULL', message: 'the disk of canary-4711 is full' })
const certificate = selfSignedTls()
/** The clock runs faster than the network: nothing is late unless it is meant to be. */
const patient = { timeout: '1h' } as const

/** Mails that a plan has failed. @returns what the history says went wrong, and how often it was tried */
async function mailed(
  server: MailServer,
  options: Partial<EmailOptions> & { readonly isTrusted?: boolean } = {},
  { settings = patient, env = {} }: { readonly settings?: NotifierSettings; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const { isTrusted = false, ...more } = options
  const at = { host: '127.0.0.1', port: server.port, security: 'none', from: 'backups@example.com' } as const
  const ca = certificateFile(certificate)
  const notify = [email({ ...at, to: 'ops@example.com', ...(isTrusted && { ca }), ...more }, settings)]
  const run = await testRun([orders({ failure: broken })], { config: { notify }, env })
  await run.run()
  await advanceUntil(run.clock, run.engine.notifications.close(), '500ms')
  const [record] = run.engine.journal.runs()
  expect(record?.status).toBe('failed')
  return record?.warnings.map(({ message }) => message).join('\n') ?? ''
}

test('a mail says what failed, to everybody who is named, and that it was written by a machine', async () => {
  const server = await mailServer()
  const to = ['ops@example.com', { env: 'ON_CALL' }]
  expect(await mailed(server, { to }, { env: { ON_CALL: 'Ann <ann@example.com>, bob@example.com' } })).toBe('')
  const [mail] = server.mails
  expect(mail).toMatchObject({
    from: 'backups@example.com',
    to: ['ops@example.com', 'ann@example.com', 'bob@example.com'],
    wasEncrypted: false,
    login: undefined,
  })
  expect(mail?.data).toContain('Subject: =?UTF-8?Q?plan_=22test=22_failed?=')
  expect(mail?.data).toContain('Auto-Submitted: auto-generated')
  expect(mail?.data).toContain('Error: DISK_FULL in backups of "orders"')
  expect(mail?.data).not.toContain('canary')
})

test('a subject can not smuggle headers in, and any letters arrive', async () => {
  const server = await mailServer()
  const subject = '{plan} is ill\r\nBcc: eve@example.com\r\n\r\nfür alle'
  expect(await mailed(server, {}, { settings: { ...patient, subject, text: '.\r\n.ünten {code}' } })).toBe('')
  expect(server.mails).toHaveLength(1)
  expect(server.mails[0]?.to).toEqual(['ops@example.com'])
  expect(server.mails[0]?.data).not.toMatch(/^Bcc:/m)
  const [, content = ''] = server.mails[0]?.data.split('\n\n') ?? []
  expect(content.replaceAll('=C3=BC', 'ü').trim()).toBe('.\n.ünten DISK_FULL')
})

test.for<readonly [string, MailServerOptions, 'starttls' | 'tls']>([
  ['STARTTLS', { tls: certificate }, 'starttls'],
  ['TLS', { tls: certificate, isTlsFirst: true }, 'tls'],
])('%s: mail and password go through an encrypted connection', async ([, options, security]) => {
  const server = await mailServer(options)
  const login = { user: 'holdfast', password: { env: 'SMTP_PASSWORD' } }
  const env = { SMTP_PASSWORD: 'canary-password' }
  expect(await mailed(server, { security, isTrusted: true, ...login }, { env })).toBe('')
  expect(server.mails[0]).toMatchObject({ wasEncrypted: true, login: '\0holdfast\0canary-password' })
})

test.for<readonly [string, MailServerOptions, Partial<EmailOptions>, RegExp]>([
  ['one that offers no encryption gets no mail', {}, { security: 'starttls' }, /TLS/i],
  [
    'nor does one that is not who it should be',
    { tls: certificate },
    { security: 'starttls' },
    /is not who it should be: self-signed certificate/,
  ],
  ['a mailbox that is not there', { fault: 'refuses-recipients' }, {}, /550 5\.1\.1 no such mailbox/],
])('%s: said at once', async ([, server, options, reason]) => {
  const started = await mailServer(server)
  expect(await mailed(started, options)).toMatch(reason)
  expect(started.mails).toHaveLength(0)
  expect(started.connections()).toBe(1)
})

test('a wrong password is said without it', async () => {
  const server = await mailServer({ tls: certificate, fault: 'refuses-login' })
  const options = { security: 'starttls', isTrusted: true, user: 'holdfast', password: { env: 'P' } } as const
  const said = await mailed(server, options, { env: { P: 'canary-password' } })
  expect(said).toMatch(/535 5\.7\.8 wrong password/)
  expect(said).not.toContain('canary')
  expect(server.connections()).toBe(1)
})

test.for<readonly [string, MailServerOptions]>([
  ['is busy', { fault: 'busy' }],
  ['hangs up', { fault: 'hangs-up' }],
])('fault F51: one that %s is tried three times', async ([, options]) => {
  const server = await mailServer(options)
  expect(await mailed(server)).toMatch(
    /"email" could not be told that plan "test" failed: 127\.0\.0\.1:\d+ could not be told/,
  )
  expect(server.connections()).toBe(3)
})

test.for<readonly [string, MailServerOptions]>([
  ['says nothing', { fault: 'silent' }],
  ['stops in the middle', { fault: 'hangs-in-data' }],
])('fault F51: one that %s is waited for as long as it may take', async ([, options]) => {
  const server = await mailServer(options)
  expect(await mailed(server, {}, { settings: { timeout: '3s' } })).toMatch(
    /no answer within 3\.0 s|there was no time left/,
  )
  expect(server.connections()).toBe(1)
})
