// What is believed of a session.
import { HoldfastError, type ExecRequest, type ExecSession } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { openFreezeSession, type FreezeSession } from '../../src/freeze/session.ts'

const place = {
  claim: { namespace: 'shop', name: 'data' },
  image: { pool: 'kube', namespace: '', name: 'csi-vol-1' },
  agent: { namespace: 'backup', selector: 'a=b', container: 'c', node: 'n' },
  device: '252:0',
  path: '/x',
  kubeletRoot: '/k',
  sysRoot: '/sys',
  token: 'mine',
}

/** A session whose other side says these lines: the first at once, the second when it is told to thaw. */
async function open(first: string, second: string, result = Promise.resolve()): Promise<FreezeSession> {
  let say = (_line: string): void => {}
  const session = async (_: unknown, { onLine }: ExecRequest): Promise<ExecSession> => {
    const waiting = new Set<() => void>()
    say = (line) => {
      onLine?.(line, 'stdout')
      for (const look of waiting) look()
    }
    return {
      write: async () => say(second),
      end: async () => {},
      line: (match) => new Promise((resolve) => waiting.add(() => match('') && resolve(''))),
      result: result as unknown as ExecSession['result'],
      [Symbol.asyncDispose]: async () => {},
    }
  }
  const opened = await openFreezeSession({
    exec: { session },
    agent: { pod: 'p', container: 'c' },
    place,
    limitMs: 1000,
  })
  say(first)
  await opened.frozen
  return opened
}

test('a thaw with its token, its time and a good end', async () => {
  expect(await (await open('frozen mine', 'thawed mine 500')).thaw()).toBe(500)
})

test('what another session says does not count', async () => {
  const session = await open('frozen mine', 'thawed other 500')
  const settled = await Promise.race([session.thaw(), new Promise((resolve) => setTimeout(resolve, 50, 'nothing'))])
  expect(settled).toBe('nothing')
})

test('a node whose clock says less than ours is not believed', async () => {
  const session = await open('frozen mine', 'thawed mine 10')
  await new Promise((resolve) => setTimeout(resolve, 400))
  await expect(session.thaw()).rejects.toThrow('it was frozen for 10 ms, here it was')
})

test('K15: a thaw whose session ends badly is no proof', async () => {
  const result = Promise.reject<void>(new Error('exit code 137'))
  await expect((await open('frozen mine', 'thawed mine 500', result)).thaw()).rejects.toThrow('137')
})

test('its word is proof enough, should the end of its output get lost', async () => {
  const result = Promise.reject(new HoldfastError({ code: 'EXEC_TRUNCATED', message: 'the end is missing' }))
  expect(await (await open('frozen mine', 'thawed mine 500', result)).thaw()).toBe(500)
})

test('a session that ends badly after its word is not believed', async () => {
  const result = Promise.reject(new HoldfastError({ code: 'EXEC_FAILED', message: 'it exited with 1' }))
  await expect((await open('frozen mine', 'thawed mine 500', result)).thaw()).rejects.toThrow('it exited with 1')
})
