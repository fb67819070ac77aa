// MongoDB's wire protocol, as far as a driver needs it: OP_MSG, and OP_QUERY with which drivers say hello.
import { deserialize, serialize, type Document } from 'bson'

const opReply = 1
const opQuery = 2004
const opMsg = 2013

/** A command as it came. */
export interface WireRequest {
  readonly id: number
  readonly opCode: number
  readonly database: string
  readonly command: Document
}

/** Cuts a stream into messages. */
export function createWireReader(onRequest: (request: WireRequest) => void): (chunk: Uint8Array) => void {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 16 && rest.length >= rest.readInt32LE(0)) {
      const message = rest.subarray(0, rest.readInt32LE(0))
      rest = rest.subarray(message.length)
      onRequest(parse(message))
    }
  }
}

function parse(message: Buffer): WireRequest {
  const id = message.readInt32LE(4)
  const opCode = message.readInt32LE(12)
  if (opCode === opQuery) {
    const nameEnd = message.indexOf(0, 20)
    const database = message.toString('utf8', 20, nameEnd).split('.')[0] ?? ''
    return { id, opCode, database, command: deserialize(message.subarray(nameEnd + 9)) }
  }
  if (opCode !== opMsg) throw new Error(`the fake knows no message of code ${opCode}`)
  // Flags, then one section of kind 0: a document. Drivers send others for bulk writes only.
  if (message[20] !== 0) throw new Error('the fake knows no sections but documents')
  const length = message.readInt32LE(21)
  const command = deserialize(message.subarray(21, 21 + length), { promoteValues: true })
  return { id, opCode, database: String(command['$db']), command }
}

/** A reply to a request, in its kind of message. */
export function formatReply({ id, opCode }: WireRequest, reply: Document): Buffer {
  const body = serialize(reply)
  const before = opCode === opMsg ? Buffer.alloc(5) : Buffer.alloc(20)
  if (opCode === opQuery) {
    before.writeInt32LE(8, 0)
    before.writeInt32LE(1, 16)
  }
  const head = Buffer.alloc(16)
  head.writeInt32LE(16 + before.length + body.length, 0)
  head.writeInt32LE(1, 4)
  head.writeInt32LE(id, 8)
  head.writeInt32LE(opCode === opMsg ? opMsg : opReply, 12)
  return Buffer.concat([head, before, body])
}
