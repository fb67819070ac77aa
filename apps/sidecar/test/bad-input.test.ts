import { systemClock } from '@holdfast/runtime'
import { sdkVersion } from '@holdfast/sdk/internal'
import { expect, test } from 'vitest'
import { workspace } from './support/workspace.ts'

/** What a person sees, without what differs from machine to machine. */
async function shown(files: Readonly<Record<string, string>>, args: readonly string[] = ['validate']): Promise<string> {
  const here = workspace(files)
  const { code, stdout, stderr } = await here.run(args)
  expect(stderr).not.toMatch(/^\s+at /m)
  return `${stdout}${stderr}exit ${code}`.replaceAll(here.path, '/here').replace(`this is ${sdkVersion}`, 'this is SDK')
}

const hook = `export default { $type: 'holdfast.hook/v1', hook: 'maintain', entry() {} }\n`
const plan = (text: string): string => `plans:\n  shop:\n    use: [./hook.mjs]\n${text}`

test('unknown configuration key', async () => {
  const text = await shown({ 'holdfast.yaml': plan('    retension: { latest: 3 }\n'), 'hook.mjs': hook })
  expect(text).toMatchInlineSnapshot(`
    "error: unknown key "retension" in plans.shop
      in /here/holdfast.yaml:4:5
      Did you mean "retention"? Known here: schedule, use, concurrency, budget, retry, retention, allowEmpty, encoding, copies, notify.
      CONFIG_UNKNOWN_KEY, see docs/errors.md#config_unknown_key
    exit 78"
  `)
})

test.for(['0 0 31 2 *', '*/5 * * * * *', 'daily'])('schedule that never fires or is none: %s', async (cron) => {
  const text = await shown({ 'holdfast.yaml': plan(`    schedule: { cron: '${cron}' }\n`), 'hook.mjs': hook })
  expect(text).toMatchSnapshot()
})

test('unknown time zone', async () => {
  const zone = plan(`    schedule: { cron: '0 3 * * *', timeZone: Europe/Berln }\n`)
  expect(await shown({ 'holdfast.yaml': zone, 'hook.mjs': hook })).toMatchSnapshot()
})

test('hook module that exports something else', async () => {
  const text = await shown({ 'holdfast.yaml': plan(''), 'hook.mjs': `export default 42\n` })
  expect(text).toMatchSnapshot()
})

test('hook module that can not be loaded', async () => {
  const text = await shown({ 'holdfast.yaml': plan(''), 'hook.mjs': `throw new Error('no database')\n` })
  expect(text).toMatchSnapshot()
})

test('several problems at once, each with its place', async () => {
  const yaml = `plans:\n  shop:\n    use: [./nowhere.mjs]\n    concurrency: many\n    budgte: 1h\n`
  expect(await shown({ 'holdfast.yaml': yaml })).toMatchSnapshot()
})

test('plugin of another SDK major', async () => {
  const plugin = `import { definePlugin } from '@holdfast/sdk'
const schema = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
export const old = definePlugin({ name: 'old', version: '0.1.0', sdk: '^2.0', config: schema, hooks: { maintain() {} } })
`
  const yaml = `plans:\n  shop:\n    use: [{ './plugin.mjs#old': {} }]\n`
  expect(await shown({ 'holdfast.yaml': yaml, 'plugin.mjs': plugin })).toMatchSnapshot()
})

test('two plans of one name', async () => {
  const yaml = `plans:\n  - { name: shop, use: [./hook.mjs] }\n  - { name: shop, use: [./hook.mjs] }\n`
  expect(await shown({ 'holdfast.yaml': yaml, 'hook.mjs': hook })).toMatchSnapshot()
})

test('two targets of one id', async () => {
  const twins = `import { definePlugin } from '@holdfast/sdk'
const schema = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } }
const target = { id: 'orders', labels: {}, data: null }
export const twins = definePlugin({
  name: 'twins', version: '1.0.0', sdk: '^1.0', config: schema, targets: () => [target, target], hooks: { backups() {} },
})
`
  const yaml = `plans:\n  shop:\n    use: [{ './plugin.mjs#twins': {} }]\n`
  expect(await shown({ 'holdfast.yaml': yaml, 'plugin.mjs': twins }, ['plan'])).toMatchSnapshot()
})

test('no configuration at all', async () => {
  expect(await shown({})).toMatchSnapshot()
})

test('a fault of our own says that it is one, and shows its stack only when asked for', async () => {
  const here = workspace({ 'holdfast.yaml': plan(`    schedule: { cron: '0 3 * * *' }\n`), 'hook.mjs': hook })
  const clock = {
    ...systemClock,
    now(): Date {
      throw new Error('the battery is empty')
    },
  }
  const plain = await here.run(['schedule'], { clock })
  expect(plain.code).toBe(1)
  expect(plain.stderr).toMatch(/^error: Holdfast itself failed: the battery is empty\n.*report it/)
  expect(plain.stderr).not.toMatch(/^\s+at /m)
  const debug = await here.run(['schedule', '--log-level', 'debug'], { clock })
  expect(debug.stderr).toMatch(/^\s+at .*bad-input\.test\.ts/m)
})
