// nodemailer as it is in the bundle: half of it is left out, and what sends a mail is there.
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'
import { apart } from '../bundle/apart.ts'
import { leanNodemailer, mailerEntry } from '../bundle/nodemailer.ts'

/** What is used of it here. */
interface Nodemailer {
  createTransport(options: object): { sendMail(mail: object): Promise<unknown> }
}

test('what is left of it sends a mail', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodemailer-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const outfile = join(directory, 'nodemailer.cjs')
  const common = { bundle: true, minify: true, platform: 'node', format: 'cjs' } as const
  await build({ ...common, entryPoints: [mailerEntry], outfile, conditions: ['import'], plugins: [leanNodemailer] })
  const bundle = createRequire(import.meta.url)(outfile) as Nodemailer

  let heard = ''
  const server = createServer((socket) => {
    socket.write('220 here\r\n')
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
      // However the mail is cut, its end is answered once.
      const isWord = /^(DATA|EHLO|MAIL|RCPT|QUIT)/.test(chunk.toString())
      if (isWord || heard.endsWith('\r\n.\r\n'))
        socket.write(heard.endsWith('\r\nDATA\r\n') ? '354 go on\r\n' : '250 ok\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  await bundle
    .createTransport({ host: '127.0.0.1', connection: socket, ignoreTLS: true })
    .sendMail({ from: 'a@example.com', to: 'Bö <b@example.com>, c@example.com', subject: 'für alle', text: 'tëxt' })
  socket.destroy()
  expect(heard).toContain('RCPT TO:<c@example.com>')
  expect(heard).toContain('Subject: =?UTF-8?Q?f=C3=BCr_alle?=')
  expect(heard).toContain('t=C3=ABxt')
})

test('the rest of the bundle loads it when a mail is sent, and not before', async () => {
  const { outputFiles } = await build({
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['@holdfast/source'],
    splitting: true,
    outdir: 'out',
    write: false,
    packages: 'external',
    entryPoints: [join(mailerEntry, '../senders.ts')],
    plugins: [apart],
  })
  const asking = outputFiles.filter(({ text }) => text.includes('nodemailer'))
  expect(asking.map(({ path }) => /mailer-\w+\.js$/.test(path))).toEqual([true])
  expect(asking[0]?.text).toContain('./nodemailer.cjs')
})
