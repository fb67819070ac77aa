import { createServer, type AddressInfo, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'

/** What a {@link mailServer} does on a bad day. */
export type MailFault = 'silent' | 'refuses-recipients' | 'refuses-login' | 'busy' | 'hangs-in-data' | 'hangs-up'

/** Options of {@link mailServer}. */
export interface MailServerOptions {
  readonly fault?: MailFault
  /** Its certificate: it offers STARTTLS, or speaks TLS from the first byte. */
  readonly tls?: { readonly key: string; readonly cert: string }
  readonly isTlsFirst?: boolean
}

/** A mail as it was taken. */
export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly data: string
  readonly wasEncrypted: boolean
  /** What somebody logged in with: `\0user\0password`. */
  readonly login: string | undefined
}

/** A server on this machine that takes mail by SMTP. */
export interface MailServer {
  readonly port: number
  readonly mails: readonly Mail[]
  /** How often somebody connected. */
  connections(): number
}

/** Starts one; it is gone at the end of the test. */
export async function mailServer({ fault, tls, isTlsFirst = false }: MailServerOptions = {}): Promise<MailServer> {
  const mails: Mail[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((plain) => {
    connections += 1
    sockets.add(plain)
    plain.on('error', () => {})
    if (fault === 'silent') return
    if (fault === 'hangs-up') return void plain.destroy()
    serve(isTlsFirst ? secured(plain) : plain, isTlsFirst)
  })

  const secured = (socket: Socket): Socket => {
    const made = new TLSSocket(socket, { isServer: true, ...tls })
    made.on('error', () => {})
    return made
  }

  const serve = (socket: Socket, wasEncrypted: boolean, isAgain = false): void => {
    let from = ''
    let to: string[] = []
    let login: string | undefined
    let data: string | undefined
    let rest = ''
    const say = (line: string): void => void socket.write(`${line}\r\n`)
    const take = (line: string): void => {
      if (data !== undefined) {
        if (line !== '.') return void (data += `${line.replace(/^\./, '')}\n`)
        mails.push({ from, to, data, wasEncrypted, login })
        data = undefined
        return say('250 taken')
      }
      const [word = '', argument = ''] = line.split(/ (.*)/s)
      switch (word.toUpperCase()) {
        case 'EHLO':
          if (tls && !wasEncrypted) say('250-STARTTLS')
          say('250-AUTH PLAIN')
          return say('250 8BITMIME')
        case 'STARTTLS':
          if (!tls) return say('502 5.5.1 what is that?')
          say('220 go on')
          socket.removeListener('data', onData)
          return serve(secured(socket), true, true)
        case 'AUTH':
          if (fault === 'refuses-login') return say('535 5.7.8 wrong password')
          login = Buffer.from(argument.replace('PLAIN ', ''), 'base64').toString()
          return say('235 welcome')
        case 'MAIL':
          if (fault === 'busy') return say('451 4.3.2 come back later')
          from = argument.replace(/^FROM:<|>.*$/g, '')
          return say('250 ok')
        case 'RCPT':
          if (fault === 'refuses-recipients') return say('550 5.1.1 no such mailbox')
          to = [...to, argument.replace(/^TO:<|>.*$/g, '')]
          return say('250 ok')
        case 'DATA':
          if (fault === 'hangs-in-data') return
          data = ''
          return say('354 go on')
        case 'QUIT':
          say('221 bye')
          return void socket.end()
        default:
          say('250 ok')
      }
    }
    const onData = (chunk: Buffer): void => {
      const lines = (rest + chunk.toString('latin1')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) take(line)
    }
    socket.on('data', onData)
    if (!isAgain) say('220 mail.example.com')
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, mails, connections: () => connections }
}
