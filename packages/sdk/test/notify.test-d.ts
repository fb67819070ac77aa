// What notifiers promise to those who name them, and to those who write their own.
import { describe, expectTypeOf, test } from 'vitest'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import {
  defineConfig,
  defineDrill,
  defineNotifier,
  email,
  ping,
  slack,
  webhook,
  type Notification,
  type Notifier,
  type RunStatus,
  type SecretRef,
} from '../src/index.ts'

declare const schema: StandardSchemaV1<
  { readonly key: SecretRef; readonly retries?: number },
  { key: SecretRef; retries: number }
>

describe('notifiers', () => {
  test('stand at the top, in plans and in drills', () => {
    const chat = slack({ url: { env: 'SLACK' } }, { on: ['failure'], text: ({ subject }) => subject })
    expectTypeOf(chat).toEqualTypeOf<Notifier>()
    defineConfig({
      notify: [chat, webhook({ url: 'https://a.example', body: ({ kind }) => ({ kind }) })],
      plans: [{ name: 'shop', use: [], notify: [ping({ url: { file: '/secrets/ping' }, path: '{name}' })] }],
      drills: [defineDrill({ name: 'weekly', plan: 'shop', expect: './drill', notify: [] })],
    })
    email({ host: 'mail.example.com', from: 'a@b.example', to: ['c@d.example', { env: 'ON_CALL' }] })
  })

  test('an address that is a secret is a reference, and occasions are known', () => {
    // @ts-expect-error -- the webhook of a channel is a secret
    slack({ url: 'https://hooks.example.com/key' })
    // @ts-expect-error -- a password is never written down
    email({ host: 'a', from: 'a@b.example', to: 'c@d.example', user: 'me', password: 'hunter2' })
    // @ts-expect-error -- there is no such occasion
    slack({ url: { env: 'SLACK' } }, { on: ['failures'] })
  })

  test('one of your own takes what its schema takes, and gets what its schema makes', () => {
    const pager = defineNotifier({
      name: 'pager',
      config: schema,
      async send(notification, { config, secrets, signal, attempt, redact }) {
        expectTypeOf(notification).toEqualTypeOf<Notification>()
        expectTypeOf(notification.run?.status).toEqualTypeOf<RunStatus | undefined>()
        expectTypeOf(config.retries).toEqualTypeOf<number>()
        expectTypeOf((await secrets.open(config.key)).reveal()).toEqualTypeOf<string>()
        expectTypeOf(attempt).toEqualTypeOf<number>()
        signal.throwIfAborted()
        redact('')
      },
    })
    expectTypeOf(pager({ key: { env: 'KEY' } }, { timeout: '30s' })).toEqualTypeOf<Notifier>()
    // @ts-expect-error -- the key is missing
    pager({})
  })
})
