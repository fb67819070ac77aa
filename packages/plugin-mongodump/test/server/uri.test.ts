import { expect, test } from 'vitest'
import { formatUri, hostsOf, isLoopback, isOneHost, parseUri, withoutUserinfo } from '../../src/server/uri.ts'

test.each([
  // What is dumped is said elsewhere: the path is where the user is kept, and one host is taken at its word.
  ['mongodb://db', 'mongodb://db/?directConnection=true'],
  ['mongodb://db:27018/shop', 'mongodb://db:27018/?directConnection=true'],
  ['mongodb://ada:p%40ss@db/admin', 'mongodb://ada:p%40ss@db/?authSource=admin&directConnection=true'],
  ['mongodb://ada:pw@db/shop?authSource=admin', 'mongodb://ada:pw@db/?authSource=admin&directConnection=true'],
  ['mongodb://ada:pw@db/shop?AUTHSOURCE=x', 'mongodb://ada:pw@db/?AUTHSOURCE=x&directConnection=true'],
  [
    'mongodb://ada:pw@db/s?authMechanism=SCRAM-SHA-256',
    'mongodb://ada:pw@db/?authMechanism=SCRAM-SHA-256&authSource=s&directConnection=true',
  ],
  [
    'mongodb://CN=ada@db/s?authMechanism=MONGODB-X509',
    'mongodb://CN=ada@db/?authMechanism=MONGODB-X509&directConnection=true',
  ],
  ['mongodb://a,b:27018,c/?replicaSet=rs0', 'mongodb://a,b:27018,c/?replicaSet=rs0'],
  ['mongodb://a/?replicaSet=rs0', 'mongodb://a/?replicaSet=rs0'],
  ['mongodb://a/?directConnection=false', 'mongodb://a/?directConnection=false'],
  ['mongodb+srv://ada:pw@cluster.example/shop', 'mongodb+srv://ada:pw@cluster.example/?authSource=shop'],
  ['mongodb://%2Ftmp%2Fmongodb-27017.sock', 'mongodb://%2Ftmp%2Fmongodb-27017.sock/?directConnection=true'],
  ['mongodb://[::1]:27017/', 'mongodb://[::1]:27017/?directConnection=true'],
  // An @ in a password that nobody has encoded: drivers refuse it, and say so; the host is still the host.
  ['mongodb://ada:p@ss@db/', 'mongodb://ada:p@ss@db/?directConnection=true'],
])('%s is handed on as %s', (text, expected) => {
  expect(formatUri(parseUri(text))).toBe(expected)
})

test.each([
  ['', 'it does not begin with'],
  ['http://db/', 'it does not begin with'],
  ['db:27017', 'it does not begin with'],
  ['mongodb://', 'it names no host'],
  ['mongodb://a,,b/', 'it names no host'],
  ['mongodb://db/\nmongodb://other/', 'spaces or line ends'],
  // Of a password that nobody has encoded, a part would be taken for the host, which is told to everybody.
  ['mongodb://ada:hun/ter2@db/', 'percent-encoded'],
  ['mongodb://ada:hun?ter2@db/', 'percent-encoded'],
  ['mongodb://ada:12/ter2@db/shop', 'percent-encoded'],
  ['mongodb://ada:12?ter2@db/', 'percent-encoded'],
  ['mongodb://ada:hunter2/', 'percent-encoded'],
])('%j is refused, and never repeated', (text, problem) => {
  const refuse = (): unknown => parseUri(text)
  expect(refuse).toThrow(problem)
})

test('what it says of a server has no secrets', () => {
  const uri = parseUri('mongodb+srv://ada:secret@cluster.example/?tls=true')
  expect(hostsOf(uri)).toBe('srv cluster.example')
  expect(withoutUserinfo('failed: mongodb://ada:secret@db:1/x, mongodb+srv://ada:secret@c/')).toBe(
    'failed: mongodb://db:1/x, mongodb+srv://c/',
  )
  expect(withoutUserinfo('failed: mongodb://ada:sec@ret@db:1/x?y=z@w')).toBe('failed: mongodb://db:1/x?y=z@w')
})

test('which server it means', () => {
  const loopback = ['localhost', 'LOCALHOST:27017', '127.0.0.1', '127.1.2.3:1', '[::1]:27017', '%2Frun%2Fmongodb.sock']
  for (const host of loopback) expect(isLoopback(parseUri(`mongodb://${host}/`)), host).toBe(true)
  for (const host of ['db', 'localhost.example', '10.127.0.1', 'my127.0.0.1']) {
    expect(isLoopback(parseUri(`mongodb://${host}/`)), host).toBe(false)
  }
  expect(isOneHost(parseUri('mongodb://a/'))).toBe(true)
  expect(isOneHost(parseUri('mongodb://a/?directConnection=true'))).toBe(true)
  for (const text of [
    'mongodb://a,b/',
    'mongodb://a/?replicaSet=r',
    'mongodb+srv://a/',
    'mongodb://a/?loadBalanced=true',
  ]) {
    expect(isOneHost(parseUri(text)), text).toBe(false)
  }
})
