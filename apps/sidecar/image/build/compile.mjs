#!/usr/bin/env node
// compile.mjs APP: runs kubectlexec once from its beginning to its end, against something that stands in for a cluster, and keeps
// what V8 compiles of it (bin/compiled.js).
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { createRequire } from 'node:module'
import net from 'node:net'
import path from 'node:path'
import tls from 'node:tls'

const [, , app = '/app'] = process.argv
const require = createRequire(import.meta.url)
const { prepare } = require(path.resolve(app, 'bin/compiled.js'))
const account = '/var/run/secrets/kubernetes.io/serviceaccount/'
const files = { token: 'token', 'ca.crt': 'certificate', namespace: 'namespace' }

// No certificates are needed, and no account: only what kubectlexec itself does with them counts.
const standIns = {
  'node:fs': {
    ...fs,
    readFileSync: (file, ...rest) =>
      String(file).startsWith(account) ? files[path.basename(file)] : fs.readFileSync(file, ...rest),
  },
  'node:tls': { ...tls, setDefaultCACertificates() {} },
  tls: { ...tls, connect: (options) => net.connect(options) },
  https: { ...https, request: (options) => http.request({ ...options, protocol: undefined }) },
}

/** An API server that knows one command, which prints a word on both of its outputs. */
const server = http.createServer().on('upgrade', (request, socket) => {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}\r\n` +
      'Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n',
  )
  const [stdout, stderr, status] = [1, 2, 3]
  const send = (channel, text) => socket.write(frame(0x82, Buffer.concat([Buffer.of(channel), Buffer.from(text)])))
  let received = Buffer.alloc(0)
  let prefix
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    for (let message = readFrame(received); message; message = readFrame(received)) {
      received = received.subarray(message.end)
      if (message.opcode === 8) {
        socket.end()
      } else if (prefix === undefined) {
        prefix = message.content.toString('latin1', 1).split('\n', 1)[0]
        send(stderr, `${prefix}ready\n`)
        setImmediate(() => {
          send(stdout, 'word\n')
          send(stderr, 'word\n')
          send(stderr, `${prefix}exit 0\n`)
          send(stdout, `${prefix}end\n`)
        })
      } else {
        send(status, JSON.stringify({ metadata: {}, status: 'Success' }))
        socket.write(frame(0x88, Buffer.of(3, 232)))
      }
    }
  })
})

function frame(head, content) {
  const { length } = content
  return Buffer.concat([
    length < 126 ? Buffer.of(head, length) : Buffer.of(head, 126, length >> 8, length & 255),
    content,
  ])
}

/** A client's, which is masked; undefined while it isn't whole. */
function readFrame(data) {
  if (data.length < 8) return undefined
  const short = data[1] & 127
  const at = short < 126 ? 2 : 4
  const length = short < 126 ? short : data.readUInt16BE(2)
  const end = at + 4 + length
  if (data.length < end) return undefined
  const mask = data.subarray(at, at + 4)
  return { opcode: data[0] & 15, end, content: data.subarray(at + 4, end).map((byte, n) => byte ^ mask[n & 3]) }
}

server.listen(0, '127.0.0.1', () => {
  Object.assign(process.env, {
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(server.address().port),
    TARGET_CONTAINER: 'container',
    POD_NAME: 'pod',
  })
  delete process.env.KUBECONFIG
  process.argv.splice(2, Infinity, '--', 'true')
  const file = path.join(app, 'dist/kubectlexec.cjs')
  const bundle = prepare(file, (name) => standIns[name] ?? require(name))
  const { exit } = process
  process.exit = (code) => {
    if (code === 0) bundle.keep()
    exit.call(process, code)
  }
  bundle.exports.main()
})
