import type { Kubernetes } from '@holdfast/sdk'
import { testClock } from '@holdfast/testing'
import { expect, it } from 'vitest'
import { postEvent } from '../src/event.ts'
import type { BenjiEngine } from '../src/engine.ts'
import { recordLog } from './support/clients.ts'

interface Posted {
  readonly message: string
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
}

async function posted(message: string, engine?: BenjiEngine): Promise<Posted> {
  const bodies: unknown[] = []
  const kubernetes = { create: async (_: string, body: unknown) => void bodies.push(body) } as unknown as Kubernetes
  const about = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'web', name: 'data', uid: 'u' }
  const event = { type: 'Warning', reason: 'FailedBackup', message } as const
  await postEvent({ kubernetes, clock: testClock(), log: recordLog().log }, about, event, engine)
  return bodies[0] as Posted
}

it.each([
  ['letters', 'a'.repeat(2000)],
  ['characters of several bytes', 'ä'.repeat(600)],
  ['characters of two words', `x${'🙂'.repeat(600)}`],
])('K11: a long message of %s has no more bytes than the API server takes', async (_, text) => {
  const { message } = await posted(text)
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024)
  expect(Buffer.byteLength(message)).toBeGreaterThan(1015)
  expect(text.startsWith(message.slice(0, -1))).toBe(true)
  expect(message.endsWith('…')).toBe(true)
})

it('a message that fits is posted as it is', async () => {
  expect((await posted('ä'.repeat(512))).message).toBe('ä'.repeat(512))
})

it('an instance that is no label of Kubernetes doesn’t keep the Event from being posted', async () => {
  const { metadata } = await posted('x', { instance: 'site/east+1' })
  expect(metadata.name).toMatch(/^site-east-1-[0-9a-f-]{36}$/)
  expect(metadata.labels).not.toHaveProperty(['benji-backup.me/instance'])
})
