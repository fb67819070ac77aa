import { afterEach, beforeEach, expect, test } from 'vitest'
import { startFakeKubernetes, type FakeKubernetes } from '../src/index.ts'
import { execClient } from './support/exec-client.ts'

let server: FakeKubernetes
beforeEach(async () => {
  server = await startFakeKubernetes()
  server.addPod({ name: 'p', containers: [{ name: 'c', env: { COLOUR: 'blue' } }] })
})
afterEach(() => server[Symbol.asyncDispose]())

test('a command runs, its streams and its exit code arrive', async () => {
  const client = execClient(server, ['sh', '-c', 'echo out $COLOUR; echo err >&2; exit 9'])
  await client.ended
  expect(client.text(1)).toBe('out blue\n')
  expect(client.text(2)).toBe('err\n')
  expect(client.status()).toMatchObject({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '9' }] },
  })
  expect(client.seen.closed).toEqual({ code: 1000 })
  expect(server.execs).toMatchObject([{ pod: 'p', container: 'c', stdin: 'none', running: false, exit: { code: 9 } }])
})

test('stdin reaches the command, and its end by half-close', async () => {
  const client = execClient(server, ['wc', '-c'], { stdin: true })
  await client.opened
  client.ws.send(Buffer.from('\0hello'))
  client.ws.send(Buffer.of(255, 0))
  await client.ended
  expect(client.text(1).trim()).toBe('5')
  expect(client.status()).toMatchObject({ status: 'Success' })
  expect(server.execs[0]).toMatchObject({ stdin: 'half-closed', received: 5 })
})

test('a command that is not there fails without an exit code', async () => {
  const client = execClient(server, ['nosuch'])
  await client.ended
  expect(client.status()).toMatchObject({ reason: 'InternalError', code: 500 })
  expect(client.status()['message']).toContain('exec: "nosuch": executable file not found in $PATH')
})
