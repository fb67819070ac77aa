import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { advanceUntil, testClock } from '@holdfast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { stopLeftBehind } from '../../src/benji/left-behind.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A process with a command line of our own. */
async function processNamed(name: string, ...words: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)', '--', ...words], {
    argv0: name,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

test('C6: a Benji that outlived its parent is stopped with SIGINT, by its arguments or its title', async () => {
  const clock = testClock()
  const byArguments = await processNamed(
    'benji',
    '--machine-output',
    'restore',
    '--',
    'shop-data-k3x9aa',
    'rbd:rbd/one',
  )
  const byOption = await processNamed('benji', '--machine-output', 'backup', '--uid=shop-data-k3x9aa', '--', 'x', 'y')
  const byTitle = await processNamed('benji [Restoring 1/3 blocks (33.3%) - shop-data-k3x9aa]')
  const ended = Promise.all([byArguments, byOption, byTitle].map((child) => once(child, 'exit')))
  const { signal } = new AbortController()
  await advanceUntil(clock, stopLeftBehind('shop-data-k3x9aa', { clock, log: silent, signal }))
  expect((await ended).map(([, by]) => by)).toEqual(['SIGINT', 'SIGINT', 'SIGINT'])
})

test('who restores that version right now is left alone, and so is a Benji on another', async () => {
  const clock = testClock()
  await processNamed('sh', '-c', 'holdfast restore shop-data-k3x9bb --to image=rbd/one')
  await processNamed('holdfast', 'restore', 'shop-data-k3x9bb', '--to', 'image=rbd/one')
  await processNamed('benji', '--machine-output', 'restore', '--', 'shop-data-k3x9bb2', 'rbd:rbd/one')
  const stopped: unknown[] = []
  const log = { ...silent, warn: (_: string, fields: unknown) => void stopped.push(fields) }
  const { signal } = new AbortController()
  await stopLeftBehind('shop-data-k3x9bb', { clock, log, signal })
  expect(stopped).toEqual([])
})
