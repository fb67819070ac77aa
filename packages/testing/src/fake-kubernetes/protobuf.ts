// kubectl writes some requests as protobuf. This reads the few kinds that it does that with, by the numbers of the fields
// in Kubernetes' published .proto files, and answers in JSON.

type Type = 'string' | 'bytes' | 'bool' | 'strings' | 'map of string' | 'map of bytes' | Message
interface Message {
  readonly [number: number]: readonly [name: string, type: Type]
}

const metadata: Message = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  11: ['labels', 'map of string'],
  12: ['annotations', 'map of string'],
  14: ['finalizers', 'strings'],
}
const resourceAttributes: Message = {
  1: ['namespace', 'string'],
  2: ['verb', 'string'],
  3: ['group', 'string'],
  4: ['version', 'string'],
  5: ['resource', 'string'],
  6: ['subresource', 'string'],
  7: ['name', 'string'],
}
const messages: Readonly<Record<string, Message>> = {
  ConfigMap: {
    1: ['metadata', metadata],
    2: ['data', 'map of string'],
    3: ['binaryData', 'map of bytes'],
    4: ['immutable', 'bool'],
  },
  Namespace: { 1: ['metadata', metadata] },
  Secret: {
    1: ['metadata', metadata],
    2: ['data', 'map of bytes'],
    3: ['type', 'string'],
    4: ['stringData', 'map of string'],
    5: ['immutable', 'bool'],
  },
  SelfSubjectAccessReview: {
    1: ['metadata', metadata],
    2: [
      'spec',
      {
        1: ['resourceAttributes', resourceAttributes],
        2: ['nonResourceAttributes', { 1: ['path', 'string'], 2: ['verb', 'string'] }],
      },
    ],
  },
  SelfSubjectReview: { 1: ['metadata', metadata] },
  SelfSubjectRulesReview: { 1: ['metadata', metadata], 2: ['spec', { 1: ['namespace', 'string'] }] },
  ServiceAccount: { 1: ['metadata', metadata] },
}

const magic = Buffer.from('k8s\0')
const unknown: Message = {
  1: ['type', { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] }],
  2: ['raw', 'bytes'],
}

/** The object in a body of `application/vnd.kubernetes.protobuf`; `undefined` for a kind that can't be read. */
export function readProtobuf(bytes: Buffer): unknown {
  if (!bytes.subarray(0, magic.length).equals(magic)) return undefined
  const envelope = readMessage(bytes.subarray(magic.length), unknown) as {
    readonly type?: { readonly apiVersion?: string; readonly kind?: string }
    readonly raw?: string
  }
  const { apiVersion, kind = '' } = envelope.type ?? {}
  const message = messages[kind]
  if (!message) return undefined
  return { apiVersion, kind, ...readMessage(Buffer.from(envelope.raw ?? '', 'base64'), message) }
}

function readMessage(bytes: Buffer, message: Message): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const { number, value } of fieldsOf(bytes)) {
    const [name = '', type] = message[number] ?? []
    if (type === undefined) continue
    if (type === 'bool') result[name] = value !== 0
    if (typeof value === 'number') continue
    if (type === 'string') result[name] = value.toString()
    else if (type === 'bytes') result[name] = value.toString('base64')
    else if (type === 'strings') result[name] = [...((result[name] ?? []) as string[]), value.toString()]
    else if (type === 'map of string' || type === 'map of bytes') {
      const content = type === 'map of string' ? 'string' : 'bytes'
      const entry = readMessage(value, { 1: ['key', 'string'], 2: ['value', content] })
      const { key = '', value: text = '' } = entry as { readonly key?: string; readonly value?: string }
      result[name] = { ...(result[name] as object | undefined), [key]: text }
    } else if (type !== 'bool') result[name] = readMessage(value, type)
  }
  return result
}

/** Fields as they come: numbers for varints, bytes for what has a length. Other types are left out. */
function* fieldsOf(bytes: Buffer): Generator<{ number: number; value: number | Buffer }> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    switch (tag % 8) {
      case 0:
        yield { number, value: varint() }
        break
      case 1:
        at += 8
        break
      case 5:
        at += 4
        break
      default: {
        const length = varint()
        yield { number, value: bytes.subarray(at, at + length) }
        at += length
      }
    }
  }
}
