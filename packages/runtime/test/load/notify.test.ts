// Who is told, in each form of configuration: whatever is wrong is found when it is loaded, not at night.
import { email, ping, slack, webhook, type HoldfastConfig, type Notifier } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { configJsonSchema, type JsonSchema } from '../../src/load/json-schema.ts'
import type { ResolvedNotifier } from '../../src/load/resolved.ts'
import { files, load, problemsIn, tree } from './support.ts'

const use = `use: [{ '@holdfast/plugin-files#files': { path: /data } }]`
const pager = `
import { defineNotifier } from '@holdfast/sdk'
const validate = (value) => (value.key ? { value } : { issues: [{ message: 'must be there', path: ['key'] }] })
const config = { '~standard': { version: 1, vendor: 'test', validate } }
export const pager = defineNotifier({ name: 'pager', config, on: ['failure'], send: () => {} })
export const check = () => true
`

function shown(notifiers: readonly ResolvedNotifier[] | undefined): readonly unknown[] | undefined {
  return notifiers?.map(({ name, kind, on, timeoutMs, errorTexts, secrets }) => ({
    name,
    kind,
    on: [...on],
    timeoutMs,
    errorTexts,
    secrets,
  }))
}

test('in YAML: ours by what they are, others by module#export, settings beside them', async () => {
  const { config } = await load(
    tree({
      'pager.ts': pager,
      'holdfast.yaml': `
notify:
  - slack: { url: { env: SLACK } }
  - webhook: { url: 'https://alerts.example.com/x', body: { summary: '{subject}', deep: [{ of: '{{{text}}}' }] } }
    name: alerts
    on: [failure, stale]
    errorTexts: true
    subject: '{plan}: {error}'
    timeout: 30s
  - ping: { url: { file: /secrets/ping }, path: '{name}' }
  - email:
      host: mail.example.com
      from: a@example.com
      to: [b@example.com, { env: ON_CALL }]
      user: holdfast
      password: { env: SMTP }
  - ./pager.ts#pager: { key: { env: PAGER } }
plans:
  shop: { ${use} }
  quiet: { ${use}, notify: [] }
  own: { ${use}, notify: [{ slack: { url: { env: OTHER } } }] }
drills:
  weekly: { plan: own, expect: './pager.ts#check' }
  silent: { plan: own, expect: './pager.ts#check', notify: [] }
`,
    }),
  )
  const usual = ['failure', 'partial', 'recovery', 'stale', 'undo']
  const common = { timeoutMs: 10_000, errorTexts: false }
  const ofCheck = ['start', 'success', 'failure', 'partial', 'recovery']
  expect(shown(config.notify)).toEqual([
    { ...common, name: 'slack', kind: 'slack', on: usual, secrets: [{ env: 'SLACK' }] },
    { name: 'alerts', kind: 'webhook', on: ['failure', 'stale'], timeoutMs: 30_000, errorTexts: true, secrets: [] },
    { ...common, name: 'ping', kind: 'ping', on: ofCheck, secrets: [{ file: '/secrets/ping' }] },
    { ...common, name: 'email', kind: 'email', on: usual, secrets: [{ env: 'SMTP' }, { env: 'ON_CALL' }] },
    { ...common, name: 'pager', kind: 'pager', on: ['failure'], secrets: [{ env: 'PAGER' }] },
  ])
  const [shop, quiet, own] = config.plans.map(({ notify }) => notify)
  expect(shop).toBe(config.notify)
  expect(quiet).toEqual([])
  expect(shown(own)).toMatchObject([{ name: 'slack', secrets: [{ env: 'OTHER' }] }])
  // A drill is told of to those at the top: its plan's check must not hear that it succeeded.
  expect(config.drills.map(({ notify }) => notify.length)).toEqual([5, 0])
})

function inTypeScript(notify: readonly Notifier[]): HoldfastConfig {
  return { notify, plans: [{ name: 'shop', use: [files({ path: '/data' })] }] }
}

test('in TypeScript they are what their functions make; templates may be functions', async () => {
  const notify = [
    slack({ url: { env: 'SLACK' } }, { text: ({ code }) => code ?? '' }),
    webhook({ url: 'https://alerts.example.com', body: ({ kind }) => ({ kind }) }),
    email({ host: 'localhost', security: 'none', from: 'a@example.com', to: 'b@example.com' }),
    ping({ success: { env: 'OK' } }),
  ]
  const { config } = await load(tree({}), { environmentForm: () => inTypeScript(notify) })
  expect(config.notify.map(({ kind }) => kind)).toEqual(['slack', 'webhook', 'email', 'ping'])
})

test('in TypeScript, too, what is no notifier is found', async () => {
  const wrong = [slack, { url: 'x' }, slack({ url: 'https://hooks.example.com/canary' as never })] as never
  const problems = await problemsIn(tree({}), { environmentForm: () => inTypeScript(wrong) })
  expect(problems.map(({ code, message }) => [code, message])).toEqual([
    ['NOTIFIER_INVALID', 'notify[0] is no notifier: it is a function "slack"'],
    ['NOTIFIER_INVALID', 'notify[1] is no notifier: it is a map'],
    [
      'NOTIFIER_OPTIONS',
      'notifier "slack": url must be a reference: { env: NAME } or { file: PATH }, never the secret itself',
    ],
  ])
})

/** What is wrong with one notifier, and its place. */
async function wrongWith(
  notifier: string,
): Promise<readonly [place: string, message: string, hint: string | undefined][]> {
  const here = tree({ 'pager.ts': pager, 'holdfast.yaml': `notify:\n  - ${notifier}\nplans: { shop: { ${use} } }\n` })
  const problems = await problemsIn(here)
  return problems.map(({ line, column, message, hint }) => [`${line}:${column}`, message, hint])
}

describe('what is wrong is said, with its place', () => {
  test.for<readonly [string, string, string, RegExp?]>([
    [`slak: { url: { env: A } }`, '2:5', 'unknown key "slak" in notify[0]', /Did you mean "slack"\?/],
    [`{ name: a }`, '2:5', 'notify[0] must be one of webhook, slack, email, ping, or module#export, with its options'],
    [
      `slack: { url: 'https://hooks.example.com/canary' }`,
      '2:19',
      'notifier "slack": url must be a reference: { env: NAME } or { file: PATH }, never the secret itself',
    ],
    [
      `slack: { urls: { env: A }, url: { env: A } }`,
      '2:14',
      'notifier "slack": unknown key "urls"',
      /Did you mean "url"\?/,
    ],
    [
      `{ slack: { url: { env: A } }, on: [failures] }`,
      '2:40',
      'notifier "slack": on[0] must be one of "start", "success", "failure", "partial", "recovery", "stale", "undo"',
      /Did you mean "failure"\?/,
    ],
    [
      `{ slack: { url: { env: A } }, timeout: 0 }`,
      '2:44',
      'notifier "slack": timeout must be a duration longer than 0',
    ],
    [
      `{ slack: { url: { env: A } }, text: '{plann} failed' }`,
      '2:41',
      'notify[0].text contains {plann}, which stands for nothing',
      /Did you mean "plan"\?.*\{\{ and \}\} are braces/,
    ],
    [
      `{ slack: { url: { env: A } }, subject: '{error}' }`,
      '2:44',
      'notify[0].subject contains {error}, which needs `errorTexts: true` beside it',
    ],
    [
      `webhook: { url: 'http://a.example', body: { a: [x, '{b}'] } }`,
      '2:56',
      'notify[0].webhook.body.a[1] contains {b}, which stands for nothing',
    ],
    [
      `webhook: { url: 'alerts.example.com' }`,
      '2:21',
      'notifier "webhook": url must be a URL that begins with https:// or http://, or a reference: { env: NAME } or { file: PATH }',
    ],
    [
      `webhook: { url: 'https://me:canary@a.example' }`,
      '2:21',
      'notifier "webhook": url holds a password, so it must be a reference: { env: NAME } or { file: PATH }',
    ],
    [
      `ping: { path: '{name}' }`,
      '2:11',
      'notifier "ping": it must have a `url`, or at least one of `start`, `success` and `fail`',
    ],
    [
      `ping: { url: { env: A }, path: '{nam}' }`,
      '2:36',
      'notify[0].ping.path contains {nam}, which stands for nothing',
    ],
    [
      `email: { host: a, from: a@b.c, to: nobody }`,
      '2:40',
      'notifier "email": to must be an address of mail, or a reference to one: { env: NAME } or { file: PATH }',
    ],
    [
      `email: { host: a, from: a@b.c, to: a@b.c, user: me }`,
      '2:12',
      'notifier "email": it must have both `user` and `password`, or neither',
    ],
    [
      `email: { host: a, from: a@b.c, to: a@b.c, user: me, password: { env: A }, security: none }`,
      '2:12',
      'notifier "email": it would send the password for everybody to read: `security` must be starttls or tls',
    ],
    [`./pager.ts#pager: {}`, '2:23', 'notifier "pager": key is missing'],
    [`./pager.ts#pagers: { key: 1 }`, '2:5', 'has no export "pagers"'],
    [`./pager.ts#check: {}`, '2:5', './pager.ts#check is no notifier: it is a function "check"'],
    [
      `{ slack: { url: { env: A } }, webhook: { url: { env: A } } }`,
      '2:5',
      'notify[0] must be one of webhook, slack, email, ping, or module#export, with its options',
    ],
  ])('%s', async ([notifier, place, message, hint]) => {
    const [problem, ...others] = await wrongWith(notifier)
    expect(problem?.[0]).toBe(place)
    expect(problem?.[1]).toContain(message)
    if (hint) expect(problem?.[2]).toMatch(hint)
    expect(others).toEqual([])
    expect(JSON.stringify(problem)).not.toContain('canary')
  })

  test('two of one name in one list', async () => {
    const [problem] = await wrongWith(`slack: { url: { env: A } }\n  - slack: { url: { env: B } }`)
    expect(problem).toMatchObject(['3:5', 'two notifiers of the same list are called "slack"', expect.anything()])
  })
})

test('a check that several plans share is warned of', async () => {
  const warned = async (check: string, more: string): Promise<readonly unknown[]> => {
    const yaml = `notify: [{ ping: ${check} }]\nplans: { shop: { ${use} }, mail: { ${use}${more} } }\n`
    const { warnings } = await load(tree({ 'holdfast.yaml': yaml }))
    return warnings.map(({ code, message, details }) => [code, message, details['line']])
  }
  expect(await warned('{ url: { env: A }, path: "{instance}" }', '')).toEqual([
    ['NOTIFIER_SHARED', 'the check of "ping" is one for all of: shop, mail', 1],
  ])
  expect(await warned('{ success: { env: A } }', '')).toHaveLength(1)
  expect(await warned('{ url: { env: A }, path: "{name}" }', '')).toEqual([])
  expect(await warned('{ url: { env: A } }', ', notify: []')).toEqual([])
})

test('editors know notifiers: what they are, their options, their settings', async () => {
  const schema = await configJsonSchema()
  const { notifier } = schema['definitions'] as Readonly<Record<string, JsonSchema>>
  const forms = notifier?.['anyOf'] as readonly JsonSchema[]
  const keys = forms.map(({ properties }) => Object.keys((properties as object | undefined) ?? {})[0])
  expect(keys).toEqual([undefined, 'webhook', 'slack', 'email', 'ping', 'name'])
  const reference = { type: 'array', items: { $ref: '#/definitions/notifier' } }
  expect((schema['properties'] as JsonSchema)['notify']).toMatchObject(reference)
  expect(JSON.stringify(schema).split('#/definitions/notifier')).toHaveLength(6)
})
