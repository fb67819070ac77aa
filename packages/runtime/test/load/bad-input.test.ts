import { definePlugin, isHoldfastError } from '@holdfast/sdk'
import { sdkVersion } from '@holdfast/sdk/internal'
import { describe, expect, test } from 'vitest'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { builtins, load, problemsIn, rejection, tree } from './support.ts'

const anything = { '~standard': { version: 1, vendor: 'x', validate: (value: unknown) => ({ value }) } } as const

/** Plugins that are wrong in one way each. */
const wrong: Record<string, unknown> = {
  newer: definePlugin({ name: 'newer', version: '3.0.0', sdk: '^2.0', config: anything, hooks: { backups: () => 1 } }),
  older: definePlugin({ name: 'older', version: '3.0.0', sdk: '^0.9', config: anything, hooks: { backups: () => 1 } }),
  misspelt: definePlugin({
    name: 'misspelt',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything,
    hooks: Object.assign({ backups: () => 1 }, { before_backups: () => 1 }),
  }),
  noFunction: definePlugin({
    name: 'no-function',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything,
    hooks: { backups: 'run.sh' as never },
  }),
  badEntry: definePlugin({
    name: 'bad-entry',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything,
    hooks: { backups: { handler: () => 1, order: 'first', timeout: '0s', time_uot: 3 } as never },
  }),
  badUndo: definePlugin({
    name: 'bad-undo',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything,
    undos: [
      { name: 'thaw', input: anything, deadline: 'soon' as never, run: () => 1 },
      { name: 'unlock', input: {} as never, deadline: '1m', run: () => 1 },
    ],
    hooks: { backups: () => 1 },
  }),
  finishOnly: definePlugin({
    name: 'finish-only',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything,
    hooks: { onFinish: () => 1 },
  }),
  openNothing: () => ({ name: 'nothing' }),
}
const withWrong = { builtins: { ...builtins, wrong: async () => wrong } }

const use = (entry: string, more = ''): string => `plans:\n  shop:\n    use:\n      - ${entry}\n${more}`
const good = use(`'@holdfast/plugin-files#files': { path: /x }`)
const hookFile = (text: string): Record<string, string> => ({ 'holdfast.yaml': use('./a.ts'), 'a.ts': text })

describe('in YAML, what is wrong is found, placed and put right', () => {
  test.each<[what: string, yaml: string, problem: object]>([
    // Keys
    [
      'an unknown key',
      `${good}    retnetion: { days: 3 }\n`,
      {
        code: 'CONFIG_UNKNOWN_KEY',
        message: 'unknown key "retnetion" in plans.shop',
        hint: expect.stringContaining('Did you mean "retention"?'),
        file: 'holdfast.yaml',
        line: 5,
        column: 5,
        path: 'plans.shop.retnetion',
      },
    ],
    [
      'an unknown key at the top',
      `storge: file:///x\n${good}`,
      { message: 'unknown key "storge"', hint: expect.stringContaining('"storage"'), line: 1, column: 1 },
    ],
    [
      'an unknown key in a list of plans',
      `plans:\n  - name: a\n    use: ['@holdfast/plugin-files#files': { path: /x }]\n    schedule: { corn: '0 3 * * *' }\n`,
      { code: 'CONFIG_UNKNOWN_KEY', hint: expect.stringContaining('Did you mean "cron"?'), line: 4, column: 17 },
    ],
    [
      'an unknown key that was merged in',
      `plans:\n  a: &a { use: ['@holdfast/plugin-files#files': { path: /x }] }\n  b: { <<: [*a, { budgte: 5m }] }\n`,
      { code: 'CONFIG_UNKNOWN_KEY', hint: expect.stringContaining('"budget"'), line: 3, column: 19 },
    ],
    ['a key that nobody knows', `${good}    x: 1\n`, { hint: expect.stringMatching(/^Known here: schedule, use, /) }],
    // Values
    [
      'a wrong type',
      `${good}    concurrency: many\n`,
      { code: 'CONFIG_VALUE', message: 'plans.shop.concurrency must be a number, not text', line: 5, column: 18 },
    ],
    [
      'a number that is too small',
      `${good}    concurrency: 0\n`,
      { message: 'plans.shop.concurrency must be at least 1' },
    ],
    [
      'half a target at a time',
      `${good}    concurrency: 1.5\n`,
      { code: 'CONFIG_VALUE', message: expect.stringContaining('concurrency must be a whole number') },
    ],
    [
      'a name under which nobody asks',
      `metrics: { allowedHosts: [backup.example.com, .corp.example, '*', 'https://backup.example.com'] }\n${good}`,
      {
        code: 'CONFIG_VALUE',
        message:
          'metrics.allowedHosts[3] must be a name such as holdfast.example.com, .example.com for every one below it, or *, without scheme or port',
      },
    ],
    [
      'an address of a Pushgateway that is none',
      `metrics: { pushgateway: 'ftp://gateway' }\n${good}`,
      {
        code: 'CONFIG_VALUE',
        message:
          'metrics.pushgateway must be a URL such as http://pushgateway:9091, or host:port, or a reference: { env: NAME } or { file: PATH }',
      },
    ],
    [
      'a password in the address of a Pushgateway',
      `metrics: { pushgateway: 'http://me:canary@gateway:9091' }\n${good}`,
      {
        code: 'CONFIG_VALUE',
        message: 'metrics.pushgateway holds a password, so it must be a reference: { env: NAME } or { file: PATH }',
        line: 1,
        column: 25,
      },
    ],
    [
      'a password in it without a scheme',
      `metrics: { pushgateway: 'me:canary@gateway:9091' }\n${good}`,
      {
        message: expect.stringContaining('holds a password'),
      },
    ],
    ['a missing key', 'instance: a\n', { code: 'CONFIG_VALUE', message: 'plans is missing', line: 1, column: 1 }],
    ['an empty key', `${good}    schedule:\n`, { message: 'plans.shop.schedule must be a map, not empty', line: 5 }],
    [
      'a plan without use',
      'plans: { shop: { budget: 5m } }\n',
      { message: 'plans.shop.use is missing', line: 1, column: 16 },
    ],
    [
      'a plan that uses nothing',
      'plans: { shop: { use: [] } }\n',
      { message: 'plans.shop.use must not be an empty list' },
    ],
    ['no plans', 'plans: {}\n', { code: 'CONFIG_VALUE', message: 'plans must not be empty' }],
    ['a list of no plans', 'plans: []\n', { code: 'CONFIG_VALUE', message: 'plans must not be an empty list' }],
    [
      'a choice that isn’t one',
      `${good}    schedule: { cron: '0 3 * * *', overlap: skp }\n`,
      {
        message: 'plans.shop.schedule.overlap must be one of "skip", "queue", "replace"',
        hint: 'Did you mean "skip"?',
        column: 45,
      },
    ],
    [
      'a duration without a unit',
      `${good}    budget: 5 minutes\n`,
      {
        message: expect.stringContaining(
          "budget must be a duration: milliseconds, or a number with ms, s, m, h or d, such as '5m'",
        ),
      },
    ],
    [
      'a negative duration',
      `${good}    budget: -5\n`,
      { code: 'CONFIG_VALUE', message: expect.stringContaining('budget must be a duration') },
    ],
    ['no time at all', `${good}    budget: 0s\n`, { message: 'plans.shop.budget must be a duration longer than 0' }],
    [
      'an endless duration',
      `${good}    budget: 99999999999999999d\n`,
      { code: 'CONFIG_VALUE', message: expect.stringContaining('budget must be a duration') },
    ],
    ['no attempt', `${good}    retry: { attempts: 0 }\n`, { message: 'plans.shop.retry.attempts must be at least 1' }],
    [
      'a retention that keeps nothing',
      `${good}    retention: { days: 0 }\n`,
      { code: 'CONFIG_VALUE', message: expect.stringContaining('retention keeps nothing') },
    ],
    [
      'a retention of a negative number',
      `${good}    retention: { days: -1 }\n`,
      { message: 'plans.shop.retention.days must be at least 0' },
    ],
    [
      'an unknown compression',
      `encoding: { compression: zst }\n${good}`,
      { message: 'encoding.compression must be one of "zstd", "gzip", "none"', hint: 'Did you mean "zstd"?' },
    ],
    // Schedules
    [
      'fault F18: a schedule that never fires',
      `${good}    schedule: { cron: '0 0 31 2 *' }\n`,
      { code: 'CRON_NEVER', line: 5, column: 23, path: 'plans.shop.schedule.cron' },
    ],
    [
      'a schedule of six fields',
      `${good}    schedule: { cron: '0 0 3 * * *' }\n`,
      { code: 'CRON_INVALID', line: 5, column: 23 },
    ],
    [
      'fault F21: an unknown time zone',
      `${good}    schedule: { cron: '0 3 * * *', timeZone: Europe/Berlni }\n`,
      { code: 'TIME_ZONE_UNKNOWN', hint: expect.stringContaining('Europe/Berlin'), column: 46 },
    ],
    // Names
    [
      'a name that is no name',
      good.replace('shop', 'Shop DB'),
      { code: 'NAME_INVALID', hint: expect.stringMatching(/^"Shop-DB" would do/), line: 2, column: 3 },
    ],
    ['a name of 64 letters', good.replace('shop', 'a'.repeat(64)), { code: 'NAME_INVALID' }],
    [
      'an instance that is no name',
      `instance: Prod EU\n${good}`,
      { code: 'NAME_INVALID', hint: expect.stringMatching(/^"Prod-EU"/), line: 1, column: 11 },
    ],
    [
      'two plans of one name',
      `plans:\n${`  - { name: a, use: ['@holdfast/plugin-files#files': { path: /x }] }\n`.repeat(2)}`,
      { code: 'PLAN_DUPLICATE', message: 'two plans are called "a"', line: 3, column: 13 },
    ],
    [
      'two plans of one name in a map',
      `${good}  shop:\n    use: []\n`,
      { code: 'CONFIG_SYNTAX', message: 'the key "shop" is there twice', line: 5, column: 3 },
    ],
    [
      'one plugin twice',
      `${good}      - '@holdfast/plugin-files#files': { path: /y }\n`,
      {
        code: 'PARTICIPANT_DUPLICATE',
        message: expect.stringContaining('two things called "files"'),
        hint: expect.stringContaining('{ name }'),
        line: 5,
      },
    ],
    [
      'two names that differ in case',
      `${good}  Shop: { use: ['@holdfast/plugin-files#files': { path: /x }] }\n`,
      { code: 'PLAN_DUPLICATE', message: 'two plans are called "Shop"', line: 5, column: 3 },
    ],
    // Plugins
    [
      'a wrong option',
      good.replace('path', 'pth'),
      { code: 'PLUGIN_OPTIONS_INVALID', message: 'plugin "files": path is missing', line: 4 },
    ],
    [
      'an option with a wrong value',
      good.replace('/x', '/x, mode: fst'),
      {
        code: 'PLUGIN_OPTIONS_INVALID',
        message: 'plugin "files": mode must be one of "fast", "thorough"',
        hint: expect.stringMatching(/^Did you mean "fast"\?/),
        column: 59,
      },
    ],
    [
      'an option inside an option',
      good.replace('/x', '/x, limits: { byts: 3 }'),
      {
        code: 'PLUGIN_OPTIONS_INVALID',
        message: 'plugin "files": limits.byts is no option of it',
        hint: expect.stringMatching(/^Did you mean "bytes"\?/),
        column: 63,
      },
    ],
    [
      'options that are no map',
      use(`'@holdfast/plugin-files#files': /x`),
      { code: 'PLUGIN_OPTIONS_INVALID', message: 'plugin "files": what it was given must be a map, not text' },
    ],
    [
      'a plugin of another SDK',
      use('wrong#newer'),
      {
        code: 'PLUGIN_SDK_MISMATCH',
        message: `plugin "newer" was built for SDK ^2.0; this is ${sdkVersion}`,
        line: 4,
        column: 9,
      },
    ],
    ['a plugin of an SDK from before 1.0', use('wrong#older'), { code: 'PLUGIN_SDK_MISMATCH' }],
    [
      'a hook that doesn’t exist',
      use('wrong#misspelt'),
      {
        code: 'HOOK_UNKNOWN',
        message: '"before_backups" of plugin "misspelt" is no hook',
        hint: expect.stringMatching(/^Did you mean "beforeBackups"\?/),
      },
    ],
    [
      'a hook that is no function',
      use('wrong#noFunction'),
      { code: 'HOOK_ENTRY_INVALID', message: 'backups of plugin "no-function": it is text' },
    ],
    ['a plan that does nothing', use('wrong#finishOnly'), { code: 'PLAN_EMPTY', path: 'plans.shop', line: 3 }],
    [
      'a package that isn’t there',
      use('holdfast-plugin-none#none'),
      {
        code: 'MODULE_NOT_FOUND',
        message: expect.stringContaining('"holdfast-plugin-none" was not found from '),
        line: 4,
      },
    ],
    [
      'a package that is nearly there',
      use(`'@holdfast/plugin-flies#files'`),
      { code: 'MODULE_NOT_FOUND', hint: expect.stringMatching(/^Did you mean "@holdfast\/plugin-files"\?/) },
    ],
    [
      'an export that isn’t there',
      use(`'@holdfast/plugin-files#file'`),
      { code: 'EXPORT_MISSING', hint: expect.stringMatching(/^Did you mean "files"\? It exports files/) },
    ],
    [
      'a plugin without its export',
      use(`'@holdfast/plugin-files'`),
      { code: 'HOOK_MODULE_INVALID', hint: 'Write module#export: "@holdfast/plugin-files#files".' },
    ],
    [
      'a hook file that isn’t there',
      use('./hooks/none.ts'),
      {
        code: 'MODULE_NOT_FOUND',
        message: expect.stringMatching(/^"\.\/hooks\/none\.ts" was not found/),
        line: 4,
        column: 9,
      },
    ],
    [
      'a hook file without ./',
      use('hooks/a.ts'),
      { code: 'MODULE_NOT_FOUND', hint: expect.stringMatching(/^Did you mean "\.\/hooks\/a\.ts"\?/) },
    ],
    [
      'an entry of use that is nothing',
      use('3'),
      {
        code: 'CONFIG_VALUE',
        message: expect.stringMatching(/^plans\.shop\.use\[0\] must be a path or module#export/),
      },
    ],
    ['two things in one entry', use('{ ./a.ts: {}, ./b.ts: {} }'), { code: 'CONFIG_VALUE' }],
    // Storage
    [
      'a store that is no address',
      `storage: backups\n${good}`,
      {
        code: 'STORAGE_INVALID',
        message: expect.stringContaining('"backups" is neither a URL nor module#export'),
        line: 1,
        column: 10,
      },
    ],
    [
      'a store that is no store',
      `storage: wrong#openNothing\n${good}`,
      { code: 'STORAGE_INVALID', message: expect.stringContaining('no function put, get, list, delete') },
    ],
    [
      'a store whose options are no JSON',
      `storage: 'wrong#openNothing:{hunter2'\n${good}`,
      { code: 'STORAGE_INVALID', message: expect.not.stringContaining('hunter2') },
    ],
    // YAML
    [
      'a tab',
      'plans:\n\tshop:\n\t\tuse: []\n',
      { code: 'CONFIG_SYNTAX', message: 'a tab is used to indent', line: 2, column: 1 },
    ],
    [
      'two documents',
      `${good}---\n${good}`,
      { code: 'CONFIG_SYNTAX', message: 'there is more than one document in the file' },
    ],
    [
      'a tag',
      `${good}    encoding: { identity: !env KEY }\n`,
      { code: 'CONFIG_SYNTAX', message: 'YAML tags are not supported', line: 5, column: 27 },
    ],
    ['a bracket that stays open', 'plans: { shop: { use: [./a.ts }\n', { code: 'CONFIG_SYNTAX', line: 1 }],
    ['nothing', '', { code: 'CONFIG_VALUE', message: 'the configuration must be a map, not empty' }],
    ['a list', '- 1\n', { code: 'CONFIG_VALUE', message: 'the configuration must be a map, not a list' }],
    [
      'aliases without end',
      `a: &a [1,1,1,1,1,1,1,1,1]\n${['b', 'c', 'd', 'e'].map((key, i) => `${key}: &${key} [${`*${'abcd'[i]},`.repeat(9)}]\n`).join('')}`,
      { code: 'CONFIG_SYNTAX', message: expect.stringContaining('alias') },
    ],
    [
      'interpolation',
      `storage: s3://\${BUCKET}/x\n${good}`,
      {
        code: 'CONFIG_INTERPOLATION',
        message: 'storage contains ${BUCKET}, which is taken literally',
        hint: expect.stringContaining('{ env: NAME }'),
        line: 1,
        column: 10,
      },
    ],
  ])('%s', async (_, yaml, problem) => {
    const problems = await problemsIn(tree({ 'holdfast.yaml': yaml }), withWrong)
    expect(problems).toEqual(expect.arrayContaining([expect.objectContaining(problem)]))
    for (const { message, hint } of problems) {
      expect(message).not.toMatch(/\n|^ +at |node:internal/)
      expect(hint).toMatch(/\.$|\?$/)
    }
  })

  test('in a hook’s options and undos', async () => {
    expect(await problemsIn(tree({ 'holdfast.yaml': use('wrong#badEntry') }), withWrong)).toMatchObject([
      { code: 'HOOK_ENTRY_INVALID', message: 'backups of plugin "bad-entry": order must be one of "pre", "post"' },
      {
        code: 'HOOK_ENTRY_INVALID',
        message: 'backups of plugin "bad-entry": timeout must be a duration longer than 0',
      },
      {
        code: 'HOOK_ENTRY_INVALID',
        message: 'backups of plugin "bad-entry": unknown key "time_uot"',
        hint: expect.stringMatching(/^Did you mean "timeout"\?/),
      },
    ])
    expect(await problemsIn(tree({ 'holdfast.yaml': use('wrong#badUndo') }), withWrong)).toMatchObject([
      { code: 'UNDO_INVALID', message: 'undo "thaw" of plugin "bad-undo": its `deadline` is no duration' },
      { code: 'UNDO_INVALID', message: 'undo "unlock" of plugin "bad-undo": its `input` is no Standard Schema' },
    ])
  })
})

test.each<[what: string, yaml: string, problem: object, files: Record<string, string>]>([
  [
    'a plugin that is called with its options already',
    use(`./called.mjs#called: { path: /x }`),
    {
      code: 'HOOK_MODULE_INVALID',
      message: 'called.mjs exports the plugin "called", not a hook',
      hint: expect.stringMatching(/^It was called with its options already, .* Export what definePlugin returns/),
    },
    {
      'called.mjs': `import { definePlugin } from '@holdfast/sdk'
          const config = { '~standard': { version: 1, vendor: 'x', validate: (value) => ({ value }) } }
          const hooks = { backups() {} }
          export const called = definePlugin({ name: 'called', version: '1.0.0', sdk: '^1.0', config, hooks })({ path: '/x' })`,
    },
  ],
  [
    'a store whose options its schema refuses',
    `storage: { './store.mjs#open': { urll: x } }\nplans: { shop: { use: [./hook.mjs] } }\n`,
    {
      code: 'STORAGE_INVALID',
      message:
        'the store can\'t be used: url: Invalid input: expected string, received undefined; Unrecognized key: "urll"',
    },
    {
      'store.mjs': `import * as z from ${JSON.stringify(import.meta.resolve('zod'))}
        export const open = (options) => z.strictObject({ url: z.string() }).parse(options)`,
      'hook.mjs': `export default { $type: 'holdfast.hook/v1', hook: 'backups', entry() {} }`,
    },
  ],
  [
    'a plugin by its name, which is a default export',
    use(`./own.mjs#own: { path: /x }`),
    { code: 'EXPORT_MISSING', hint: 'Write "#default", or export it as "own". It exports default.' },
    { 'own.mjs': 'export default 1' },
  ],
  [
    'an export that CommonJS, which was compiled, has not',
    use(`./own.cjs#pwn: { path: /x }`),
    { code: 'EXPORT_MISSING', hint: 'Did you mean "own"? It exports own, default.' },
    {
      'own.cjs': `Object.defineProperty(exports, '__esModule', { value: true }); exports.own = 1; exports.default = 2`,
    },
  ],
])('%s', async (_, yaml, problem, files) => {
  expect(await problemsIn(tree({ 'holdfast.yaml': yaml, ...files }))).toMatchObject([problem])
})

describe('a hook module that exports the wrong thing', () => {
  test.each<[what: string, text: string, problem: object]>([
    [
      'no hook',
      'export default 3',
      {
        code: 'HOOK_MODULE_INVALID',
        message: 'a.ts exports a number, not a hook',
        hint: expect.stringContaining('export default defineHook('),
      },
    ],
    [
      'a function',
      'export default async function backup() {}',
      { message: 'a.ts exports a function "backup", not a hook' },
    ],
    [
      'no default',
      'export const freeze = 1, thaw = 2',
      { message: 'a.ts exports no default (only freeze, thaw), not a hook' },
    ],
    ['nothing', 'export {}', { message: 'a.ts exports nothing, not a hook' }],
    [
      'a hook of another major version',
      `export default { $type: 'holdfast.hook/v2', hook: 'backups', entry() {} }`,
      {
        code: 'PLUGIN_INCOMPATIBLE',
        message: expect.stringContaining('of type "holdfast.hook/v2", which belongs to another major version'),
      },
    ],
    [
      'a plugin',
      `import { definePlugin } from '@holdfast/sdk'
       export const own = definePlugin({ name: 'own', version: '1', sdk: '^1.0', config: {}, hooks: {} })
       export default own`,
      { code: 'HOOK_MODULE_INVALID', hint: 'It is a plugin: write "./a.ts#own" with its options.' },
    ],
    [
      'a hook that doesn’t exist',
      `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('onFinsh', () => {})`,
      { code: 'HOOK_UNKNOWN', hint: expect.stringMatching(/^Did you mean "onFinish"\?/) },
    ],
  ])('%s', async (_, text, problem) => {
    expect(await problemsIn(tree(hookFile(text)))).toEqual([
      expect.objectContaining({ ...problem, line: 4, column: 9 }),
    ])
  })

  test('two files of one name', async () => {
    const hook = `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('backups', () => {})`
    const directory = tree({
      'holdfast.yaml': 'plans: { a: { use: [./x/dump.ts, ./y/dump.ts] } }',
      'x/dump.ts': hook,
      'y/dump.ts': hook,
    })
    expect(await problemsIn(directory)).toMatchObject([
      {
        code: 'PARTICIPANT_DUPLICATE',
        message: expect.stringContaining(`${join(directory, 'x/dump.ts')} and ${join(directory, 'y/dump.ts')}`),
      },
    ])
  })

  test('a file whose name can’t be a name', async () => {
    const hook = `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('backups', () => {})`
    const problems = await problemsIn(
      tree({ 'holdfast.yaml': `plans: { a: { use: ['./my dump.ts'] } }`, 'my dump.ts': hook }),
    )
    expect(problems).toMatchObject([{ code: 'NAME_INVALID', hint: expect.stringContaining('`name:`') }])
  })

  test('options for a hook module, which takes none', async () => {
    const hook = `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('backups', () => {})`
    const problems = await problemsIn(
      tree({ 'holdfast.yaml': `plans: { a: { use: [./a.ts: { path: /x }] } }`, 'a.ts': hook }),
    )
    expect(problems).toMatchObject([{ code: 'CONFIG_VALUE', message: expect.stringContaining('takes no options') }])
  })
})

describe('in TypeScript', () => {
  const config = (plan: string, before = ''): Record<string, string> => ({
    'holdfast.config.ts': `import { defineConfig, defineHook } from '@holdfast/sdk'\n${before}
const hook = defineHook('backups', () => {}, { name: 'hook' })
export default defineConfig({
  plans: [{ name: 'shop', ${plan} }],
})`,
  })
  test.each<[what: string, files: Record<string, string>, problem: object]>([
    [
      'an unknown key is found by its name',
      config('use: [hook],\n    retnetion: {}'),
      {
        code: 'CONFIG_UNKNOWN_KEY',
        file: 'holdfast.config.ts',
        line: 6,
        column: 5,
        path: 'plans[0].retnetion',
        hint: expect.stringContaining('"retention"'),
      },
    ],
    [
      'a value by its key',
      config('use: [hook], budget: 5'.replace('5', "'5x'")),
      { code: 'CONFIG_VALUE', line: 5, column: 48 },
    ],
    [
      'a key that is there twice has no place',
      config('use: [hook], budget: false', '// budget: 3').valueOf() as Record<string, string>,
      { code: 'CONFIG_VALUE', path: 'plans[0].budget' },
    ],
    [
      'a plugin that wasn’t called',
      config(`use: [Object.assign(() => {}, { definition: { name: 'x', hooks: {}, config: {} } })]`),
      {
        code: 'PLUGIN_INCOMPATIBLE',
        message: 'plans[0].use[0] can\'t be used: it is a plugin that has not been called with its options ("x")',
      },
    ],
    [
      'a path, which only YAML takes',
      config(`use: ['./hook.ts']`),
      { code: 'PLUGIN_INCOMPATIBLE', message: "plans[0].use[0] can't be used: it is text" },
    ],
    [
      'a hook of another major version',
      config(`use: [{ ...hook, $type: 'holdfast.hook/v2' }]`),
      { code: 'PLUGIN_INCOMPATIBLE' },
    ],
    [
      'a plugin made by hand',
      config(`use: [{ $type: 'holdfast.plugin/v1', name: 'x', version: '1' }]`),
      { code: 'PLUGIN_INCOMPATIBLE', message: expect.stringContaining('not made by definePlugin') },
    ],
    [
      'two hooks without a name',
      config(`use: [hook, defineHook('onFinish', () => {}), defineHook('onFinish', () => {})]`),
      { code: 'PARTICIPANT_DUPLICATE', hint: expect.stringContaining('defineHook(…, { name })') },
    ],
    [
      'two plans of one name',
      config(`use: [hook] }, { name: 'shop', use: [hook]`),
      { code: 'PLAN_DUPLICATE', path: 'plans[1].name' },
    ],
    [
      'a plan without a name',
      { 'holdfast.config.ts': 'export default { plans: [{ use: [1] }] }' },
      { code: 'CONFIG_VALUE', message: 'plans[0].name is missing' },
    ],
    [
      'no configuration',
      { 'holdfast.config.ts': 'export const config = {}' },
      { code: 'CONFIG_EXPORT', message: 'the file exports no default (only config), not a configuration' },
    ],
    ['a function', { 'holdfast.config.ts': 'export default () => ({ plans: [] })' }, { code: 'CONFIG_EXPORT' }],
    [
      'a hook',
      { 'holdfast.config.ts': `export default { $type: 'holdfast.hook/v1', hook: 'backups', entry() {} }` },
      { code: 'CONFIG_EXPORT', message: 'the file exports a hook, not a configuration' },
    ],
    [
      'a store that is none',
      { 'holdfast.config.ts': `export default { storage: 'file:///x', plans: [] }` },
      { code: 'STORAGE_INVALID' },
    ],
  ])('%s', async (_, files, problem) => {
    expect(await problemsIn(tree(files))).toEqual(expect.arrayContaining([expect.objectContaining(problem)]))
  })
})

describe('secrets', () => {
  const recipient = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj'
  const secret = 'AGE-SECRET-KEY-1QQPQXQ0Z6CYLGJ3ZZ9QZ0Z6CYLGJ3ZZ9QZ0Z6CYLGJ3ZZ9QSAUQ6'

  test('recipients are checked to their last letter', async () => {
    const yaml = (text: string): string => `encoding: { recipients: [${text}] }\n${good}`
    await load(tree({ 'holdfast.yaml': yaml(recipient) }))
    expect(await problemsIn(tree({ 'holdfast.yaml': yaml(`${recipient}, ${recipient.slice(0, -1)}k`) }))).toMatchObject(
      [{ code: 'RECIPIENT_INVALID', path: 'encoding.recipients[1]', line: 1 }],
    )
  })

  test('a secret where none belongs is refused and not repeated', async () => {
    const yaml = `encoding: { recipients: [${secret}], identity: ${secret} }\n${use(`'@holdfast/plugin-files#files': { path: { token: hunter2 } }`)}`
    const directory = tree({ 'holdfast.yaml': yaml })
    const error = await rejection(load(directory))
    const codes = (await problemsIn(directory)).map(({ code }) => code)
    expect(codes.toSorted()).toEqual(['CONFIG_VALUE', 'PLUGIN_OPTIONS_INVALID', 'RECIPIENT_INVALID'])
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toMatch(/SECRET-KEY-1|hunter2/)
  })
})

describe('files', () => {
  test.each<[what: string, path: string, code: string]>([
    ['a file that isn’t there', 'none.yaml', 'CONFIG_UNREADABLE'],
    ['a directory', 'folder.yaml', 'CONFIG_UNREADABLE'],
    ['a name without a form', 'config.toml', 'CONFIG_FORM_UNKNOWN'],
    ['bytes that are no text', 'bytes.yaml', 'CONFIG_UNREADABLE'],
  ])('%s', async (_, path, code) => {
    const directory = tree({ 'config.toml': '', 'folder.yaml/x': '' })
    writeFileSync(join(directory, 'bytes.yaml'), new Uint8Array([0x61, 0xff, 0xfe, 0]))
    expect(await problemsIn(directory, { path })).toMatchObject([{ code }])
  })
})

test('everything is reported at once, in the order of the file, by one error without a stack', async () => {
  const directory = tree({
    'holdfast.yaml': `
instance: A!
plans:
  shop:
    use: ['@holdfast/plugin-files#files': { pth: /x }, ./bad.ts]
    schedule: { cron: never }
    budgte: 3
  Shop!: { use: [./none.ts] }
`,
    'bad.ts': 'export default {',
  })
  const error = await rejection(load(directory))
  expect(isHoldfastError(error) && error.code).toBe('CONFIG_INVALID')
  expect(error.message).toBe(
    `${directory}/holdfast.yaml has 8 problems; the first: ${directory}/holdfast.yaml:2:11: an installation can't be called "A!"`,
  )
  const problems = await problemsIn(directory)
  expect(problems.map(({ code, file, line }) => [code, file, line])).toEqual([
    ['NAME_INVALID', 'holdfast.yaml', 2],
    ['PLUGIN_OPTIONS_INVALID', 'holdfast.yaml', 5],
    ['PLUGIN_OPTIONS_INVALID', 'holdfast.yaml', 5],
    ['CRON_INVALID', 'holdfast.yaml', 6],
    ['CONFIG_UNKNOWN_KEY', 'holdfast.yaml', 7],
    ['NAME_INVALID', 'holdfast.yaml', 8],
    ['MODULE_NOT_FOUND', 'holdfast.yaml', 8],
    ['MODULE_FAILED', 'bad.ts', expect.any(Number)],
  ])
})
