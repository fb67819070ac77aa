import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { openLocks, type Locks } from '../../src/journal/locks.ts'

let directory: string
let locks: Locks
const children: ChildProcess[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'locks-'))
  locks = openLocks(directory, systemClock)
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

async function holder(name: string): Promise<{ child: ChildProcess; said: string }> {
  const file = join(import.meta.dirname, 'holder.ts')
  const child = spawn(process.execPath, ['--conditions=@holdfast/source', file, directory, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [said] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return { child, said: said.toString().trim() }
}

test('a lock excludes this process, other processes, and nothing else', async () => {
  const held = locks.tryAcquire('plan-shop', 'me')
  expect(held).toBeDefined()
  expect(locks.tryAcquire('plan-shop', 'me again')).toBeUndefined()
  expect((await holder('plan-shop')).said).toBe('busy')
  expect(locks.ownerOf('plan-shop')).toBe('me')
  const others = ['plan-shop2', 'plan/shop', '../plan-shop', 'plan-shop.lock', ''].map((name) =>
    locks.tryAcquire(name, 'me'),
  )
  expect(others.every(Boolean)).toBe(true)
  for (const lock of [held, ...others]) lock?.release()
  locks.tryAcquire('plan-shop', 'me')?.release()
})

test('fault F14: the lock of a process that was killed is free at once', async () => {
  const { child, said } = await holder('plan-shop')
  expect(said).toBe('held')
  expect(locks.tryAcquire('plan-shop', 'me')).toBeUndefined()
  expect(locks.ownerOf('plan-shop')).toBe(`holder ${child.pid}`)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const taken = locks.tryAcquire('plan-shop', 'me')
  expect(taken).toBeDefined()
  taken?.release()
})

test.each([
  ['garbage', 'x'.repeat(5000)],
  ['cut off', 'SQLite format 3\0'],
  ['short', 'x'],
  ['a directory', undefined],
])('fault F11: a lock whose file is %s can be taken, by one', async (_, content) => {
  const file = join(directory, 'plan-shop.lock')
  if (content === undefined) mkdirSync(file)
  else writeFileSync(file, content)
  const held = locks.tryAcquire('plan-shop', 'me')
  expect(held).toBeDefined()
  expect(locks.tryAcquire('plan-shop', 'me again')).toBeUndefined()
  expect((await holder('plan-shop')).said).toBe('busy')
  held?.release()
})

test('a lock may have a name of any length, and others have others', () => {
  const names = ['a', 'b'].map((end) => `user-${'x'.repeat(300)}${end}`)
  const taken = [...names, ...names].map((name) => locks.tryAcquire(name, 'me'))
  expect(taken.map((lock) => lock !== undefined)).toEqual([true, true, false, false])
  for (const lock of taken) lock?.release()
})

test('fault F13: whoever waits for a lock gets it, one at a time', async () => {
  let inside = 0
  let most = 0
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside)
    await new Promise((resolve) => setImmediate(resolve))
    inside -= 1
  }
  await Promise.all(Array.from({ length: 10 }, () => locks.withLock('x', work, { owner: 'me' })))
  expect(most).toBe(1)
})

test('whoever waits for a lock of this process has it when it is released, whatever the clock does', async () => {
  const still = openLocks(directory, {
    ...systemClock,
    sleep: (_, signal) => once(signal as AbortSignal, 'abort').then(() => signal?.throwIfAborted()),
  })
  const order: number[] = []
  const first = still.tryAcquire('x', 'first')
  const waiting = [1, 2, 3].map((each) => still.withLock('x', () => void order.push(each), { owner: `${each}` }))
  await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual([])
  first?.release()
  await Promise.all(waiting)
  expect(new Set(order)).toEqual(new Set([1, 2, 3]))
})

test('a lock that stays busy is an error that names its holder', async () => {
  const held = locks.tryAcquire('x', 'the other plan')
  await expect(locks.withLock('x', () => {}, { owner: 'me', wait: 30 })).rejects.toMatchObject({
    code: 'LOCK_BUSY',
    message: 'the lock "x" is held by the other plan',
  })
  await expect(locks.withLock('x', () => {}, { owner: 'me', signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
    name: 'TimeoutError',
  })
  held?.release()
})
