// What docs/notifications.md says is so: its configurations load, its tables are complete, its examples are what is sent.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { workspace, type Workspace } from './support/workspace.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/notifications.md'), 'utf8')

function blocks(language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, code = '']) => code)
}

/** The first column of the table that follows a heading: what stands in backticks there. */
function firstColumn(heading: string): readonly string[] {
  const [, table = ''] = new RegExp(`^#+ ${heading}$.*?^\\| -[^\n]*\n((?:\\|[^\n]*\n)+)`, 'ms').exec(page) ?? []
  return table
    .split('\n')
    .flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
}

/** A service on this machine that is told things. */
async function service(): Promise<{ readonly url: string; readonly bodies: readonly string[] }> {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString())
      response.end('ok')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies }
}

function told(notify: string): Workspace {
  const here = workspace()
  here.script('backups/10-dump', 'exit 3')
  const use = `use: ['@holdfast/plugin-scripts#scripts': { path: ${here.path}/scripts }]`
  here.write('holdfast.yaml', `notify:\n  - ${notify}\nplans:\n  shop: { ${use} }\n`)
  return here
}

/** What a configuration that is wrong is told. */
async function hintOf(notify: string): Promise<string> {
  const { stdout } = await told(notify).run(['explain', '--json'])
  const { error } = JSON.parse(stdout) as { error: { details: { problems: { message: string; hint: string }[] } } }
  return error.details.problems.map(({ message, hint }) => `${message} ${hint}`).join('\n')
}

test.for(blocks('yaml').map((code, index) => [index + 1, code] as const))(
  'configuration %i can be used',
  async ([, code]) => {
    const pager = blocks('ts').find((each) => each.startsWith('// notifiers/pager.ts')) ?? ''
    const here = workspace({ 'holdfast.yaml': code, 'notifiers/pager.ts': pager })
    const { code: exit, stderr } = await here.run(['explain'])
    expect([exit, stderr]).toEqual([0, ''])
  },
)

test('the tables have every occasion, setting, option and placeholder, and no others', async () => {
  const known = (hint: string): readonly string[] => /Known here: (.*?)\./.exec(hint)?.[1]?.split(', ') ?? []
  const options: Readonly<Record<string, string>> = {
    slack: '{ url: { env: A }, nothing: 1 }',
    webhook: '{ url: { env: A }, nothing: 1 }',
    ping: '{ url: { env: A }, nothing: 1 }',
    email: '{ host: a, from: a@b.c, to: a@b.c, nothing: 1 }',
  }
  for (const [kind, given] of Object.entries(options)) {
    expect([kind, ...firstColumn(kind)].toSorted()).toEqual(
      [kind, ...known(await hintOf(`${kind}: ${given}`))].toSorted(),
    )
  }
  const occasions = /one of (.*)/.exec(await hintOf(`{ slack: { url: { env: A } }, on: [nothing] }`))?.[1]
  expect(firstColumn('When somebody is told')).toEqual(
    [...(occasions ?? '').matchAll(/"(\w+)"/g)].map(([, name]) => name),
  )
  const settings = known(await hintOf('{ slack: { url: { env: A } }, nothing: 1 }'))
  expect(['webhook', 'slack', 'email', 'ping', ...firstColumn('Settings of every notifier')]).toEqual(settings)
  const placeholders = (await hintOf(`{ slack: { url: { env: A } }, text: '{nothing}' }`)).match(/\{[a-z]+\}(?= |;)/g)
  expect(firstColumn('Templates').toSorted()).toEqual(placeholders?.filter((each) => each !== '{nothing}').toSorted())
})

test('what a webhook gets is what is shown', async () => {
  const { url, bodies } = await service()
  const here = told(`webhook: { url: '${url}' }`)
  await here.run(['run', 'shop'])
  const keysOf = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return typeof value
    if (Array.isArray(value)) return value.map(keysOf)
    return Object.fromEntries(Object.entries(value).map(([key, below]: [string, unknown]) => [key, keysOf(below)]))
  }
  const shown = JSON.parse(blocks('json')[0] ?? '') as Readonly<Record<string, unknown>>
  const sent = JSON.parse(bodies[0] ?? '') as typeof shown
  expect(keysOf(sent)).toEqual(keysOf(shown))
  for (const key of ['kind', 'instance', 'plan', 'code', 'plugin', 'hook', 'subject', 'targets']) {
    expect([key, sent[key]]).toEqual([key, shown[key]])
  }
  expect(String(sent['text']).startsWith(String(shown['text']).replace('…', ''))).toBe(true)
})

test('what the command prints is what is shown', async () => {
  const { url } = await service()
  const here = told(`slack: { url: { env: SLACK_WEBHOOK } }`)
  const { stdout } = await here.run(['notify', 'test'], { env: { SLACK_WEBHOOK: url } })
  expect(blocks('console')[0]).toBe(`$ holdfast notify test\n${stdout}${stdout.replace('slack', 'email')}`)
})

test('the generator takes what notifiers refer to from the Secret', async () => {
  const here = told('ping: { url: { file: /keys/ping } }\n  - slack: { url: { env: SLACK_WEBHOOK } }')
  const { code, stdout } = await here.run(['generate', 'kubernetes'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/name: SLACK_WEBHOOK\n\s+valueFrom:\n\s+secretKeyRef:/)
  expect(stdout).toContain('mountPath: /keys\n')
})
