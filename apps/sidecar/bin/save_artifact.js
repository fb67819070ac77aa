// save_artifact: hands a script's backup to the run that called the script. No dependencies, so that it starts at once;
// runs on Node 18 and newer. The protocol is described in packages/plugin-scripts/src/artifact-frames.ts.
'use strict'

const { closeSync, createReadStream, fstatSync, openSync } = require('node:fs')
const { connect } = require('node:net')

const usage = `usage: save_artifact NAME [FILE]
Saves FILE, or standard input, as the artifact NAME of this run's backup. It is stored at once and counts as a backup
when the calling script exits with 0. Only for scripts in the backups directory.
`

/** Says why in one line, and ends without waiting for anything. */
function fail(reason, code = 1) {
  process.stderr.write(`save_artifact: ${reason}\n`, () => process.exit(code))
}

function frame(type, payload) {
  const header = Buffer.alloc(5)
  header.write(type, 0, 1, 'latin1')
  header.writeUInt32BE(payload.length, 1)
  return Buffer.concat([header, payload])
}

/** Opens before anything is sent. Returns the stream, or why there is none. */
function openInput(file) {
  if (file === undefined) return { stream: process.stdin }
  try {
    const fd = openSync(file, 'r')
    if (fstatSync(fd).isDirectory()) {
      closeSync(fd)
      return { reason: `${file} is a directory; save a file, or pipe a tar of it` }
    }
    return { stream: createReadStream(file, { fd, highWaterMark: 256 * 1024 }) }
  } catch (error) {
    const reasons = { ENOENT: 'is not there', EACCES: 'may not be read by this user' }
    return { reason: `${file} ${reasons[error.code] ?? `cannot be read: ${error.code}`}` }
  }
}

async function send(socket, input) {
  let size = 0
  for await (const chunk of input) {
    size += chunk.length
    const header = Buffer.alloc(5)
    header.write('D', 0, 1, 'latin1')
    header.writeUInt32BE(chunk.length, 1)
    socket.cork()
    socket.write(header)
    const hasRoom = socket.write(chunk)
    socket.uncork()
    if (!hasRoom) await new Promise((resolve) => socket.once('drain', resolve))
  }
  const end = Buffer.alloc(8)
  end.writeBigUInt64BE(BigInt(size))
  socket.write(frame('E', end))
}

function save(name, file) {
  const { stream, reason } = openInput(file)
  const socket = connect(process.env.HOLDFAST_ARTIFACT_SOCKET)
  const token = process.env.HOLDFAST_ARTIFACT_TOKEN
  let answered = false
  let received = Buffer.alloc(0)

  const giveUp = (why) => socket.write(frame('X', Buffer.from(why)))
  const handle = {
    G: () => {
      if (reason !== undefined) giveUp(reason)
      else send(socket, stream).catch((error) => giveUp(`${file ?? 'standard input'} cannot be read: ${error.message}`))
    },
    S: () => process.exit(0),
    F: (payload) => fail(`"${name}" was not saved: ${payload.toString('utf8')}`),
  }
  socket.write(frame('H', Buffer.from(JSON.stringify({ version: 1, token, name, pid: process.pid }))))
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 5 && received.length >= 5 + received.readUInt32BE(1)) {
      const end = 5 + received.readUInt32BE(1)
      const type = received.toString('latin1', 0, 1)
      const payload = received.subarray(5, end)
      received = received.subarray(end)
      answered = type === 'S' || type === 'F'
      handle[type]?.(payload)
      if (answered) return
    }
  })
  const lost = (error) => {
    if (answered) return
    answered = true
    fail(`"${name}" was not saved: the run does not answer${error ? ` (${error.code ?? error.message})` : ''}`)
  }
  socket.on('error', lost)
  socket.on('close', () => lost())
}

const words = process.argv.slice(2)
if (words.length === 1 && (words[0] === '--help' || words[0] === '-h')) process.stdout.write(usage)
else if (words.length < 1 || words.length > 2 || words[0] === '') process.stderr.write(usage, () => process.exit(2))
else if (!process.env.HOLDFAST_ARTIFACT_SOCKET) {
  fail('there is no backup to save to: call it from a script in the backups directory, while a run calls that script')
} else save(words[0], words[1])
