// Two copies of the SDK in one process: the engine's, and one that came along with a plugin. A plugin that was built against
// SDK 1.0 (fixtures/sdk-1.0, a frozen package) does today what it did, with its own 1.0 and with a built copy of today's.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadConfig } from '@holdfast/runtime'
import { HoldfastError, isHoldfastError, type HookModule, type PluginFactory, type SecretRef } from '@holdfast/sdk'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createTestRun, type CreateTestRunOptions, type TestRun } from '../src/create-test-run.ts'
import { fakeExec, hangs, replies } from '../src/fake-exec.ts'

/** What the frozen plugin takes. */
interface LedgerOptions {
  readonly notes: string
  readonly password: SecretRef
  readonly fails?: 'beforeBackups' | 'backups'
}

const tarball = join(import.meta.dirname, 'fixtures/sdk-1.0/holdfast-plugin-ledger-1.0.0.tgz')
const built = join(import.meta.dirname, '../../sdk/dist')

describe.each(['1.0.0', "today's"])('a plugin that has brought SDK %s along', (version) => {
  let folder: string
  let ledger: PluginFactory<LedgerOptions>
  let hook: HookModule

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-copies-'))
    const installed = join(folder, 'node_modules/holdfast-plugin-ledger')
    mkdirSync(installed, { recursive: true })
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed])
    const sdk = join(installed, 'node_modules/@holdfast/sdk')
    // Tests run with a condition that leads to sources, and Node takes out no types in node_modules.
    rmSync(join(sdk, 'src'), { recursive: true })
    const manifest = readFileSync(join(sdk, 'package.json'), 'utf8')
    writeFileSync(join(sdk, 'package.json'), manifest.replaceAll(/^.*"@holdfast\/source".*\n/gm, ''))
    if (version !== '1.0.0') {
      if (!existsSync(join(built, 'index.js'))) throw new Error('packages/sdk/dist is missing: npm run build')
      rmSync(join(sdk, 'dist'), { recursive: true })
      cpSync(built, join(sdk, 'dist'), { recursive: true })
    }
    const load = async (file: string): Promise<unknown> => import(pathToFileURL(join(installed, 'dist', file)).href)
    ;({ ledger } = (await load('index.js')) as { ledger: PluginFactory<LedgerOptions> })
    ;({ default: hook } = (await load('hook.js')) as { default: HookModule })
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  async function start(
    options: Partial<LedgerOptions> = {},
    more: Partial<CreateTestRunOptions> = {},
  ): Promise<{ readonly run: TestRun; notes(): readonly string[] }> {
    const notes = join(mkdtempSync(join(folder, 'run-')), 'notes')
    const use = [ledger({ notes, password: { env: 'LEDGER_PASSWORD' }, ...options }), hook]
    const env = { ...process.env, LEDGER_PASSWORD: 'canary-of-the-environment' }
    const run = await createTestRun({ use, env, ...more })
    onTestFinished(() => run.close())
    return { run, notes: () => readFileSync(notes, 'utf8').trimEnd().split('\n') }
  }

  test('runs: targets, undos, secrets, variables, locks and artifacts', async () => {
    const { run, notes } = await start()
    const { outcome } = await run.run()
    expect(outcome.targets.map(({ target, status, verification }) => `${target.id} ${status} ${verification}`)).toEqual(
      ['2024 succeeded verified', '2025 succeeded verified'],
    )
    // That errors of the engine are no instances of the plugin's class is what makes them two copies.
    const errors = 'its errors: EXEC_NOT_FOUND, false'
    expect(notes()).toEqual(['locked', 'its secrets: true', errors, errors, 'unlocked', 'succeeded'])
    expect(run.log.join('')).toContain('locked for 1000 ms')
    expect(run.log.join('')).toContain('the hook of 1.0 ran in test')
    expect(run.log.join('')).not.toContain('canary')

    const where = join(folder, 'restored')
    onTestFinished(() => rmSync(where))
    const [point] = outcome.targets[0]?.points ?? []
    if (!point) throw new Error('there is no restore point')
    expect(await run.restore(point, { where })).toBe(where)
    expect(readFileSync(where, 'utf8')).toBe(`2024 x ${'canary-of-the-ledger'.length}\n`)
  })

  test('fails with errors of its own, which are known by their code, not by their class', async () => {
    const torn = await start({ fails: 'backups' })
    const { outcome } = await torn.run.run()
    expect(outcome).toMatchObject({
      status: 'failed',
      targets: [{ error: { code: 'LEDGER_TORN', hint: 'Look.' } }, {}],
    })
    expect(torn.notes().slice(-2)).toEqual(['unlocked', 'failed'])

    const busy = await start({ fails: 'beforeBackups' })
    const { error } = (await busy.run.run()).outcome
    expect(error).toMatchObject({ code: 'LEDGER_BUSY', retryable: true, plugin: 'ledger', hook: 'beforeBackups' })
    expect(error?.details).toMatchObject({ hook: 'beforeBackups' })
    expect([isHoldfastError(error?.cause ?? error), error?.cause instanceof HoldfastError]).toEqual([true, false])
    expect(busy.notes().slice(-2)).toEqual(['unlocked', 'failed'])
  })

  test('is unlocked by the next process after a crash', async () => {
    const exec = fakeExec({ true: replies(), sh: hangs() })
    const { run, notes } = await start({}, { exec })
    void run.run().catch(() => {})
    await vi.waitFor(() => expect(exec.calls.map(({ command }) => command[0])).toContain('sh'))
    expect(notes()).toContain('locked')
    await run.restart()
    const { undos } = await run.engine.recover()
    expect(undos).toMatchObject([{ undo: { undo: 'unlock' }, result: 'done' }])
    expect(notes().at(-1)).toBe('unlocked after a crash')
  })

  test('is loaded by its name from a configuration, with its options checked', async () => {
    const write = (options: string): void =>
      writeFileSync(
        join(folder, 'holdfast.yaml'),
        `plans:\n  books:\n    use:\n      - 'holdfast-plugin-ledger#ledger': ${options}\n`,
      )
    const load = () => loadConfig({ cwd: folder, etc: folder, env: {} })
    write('{ notes: /tmp/notes, password: { env: LEDGER_PASSWORD } }')
    const { config } = await load()
    expect(config.plans[0]?.participants.map(({ id, source }) => [id, source])).toEqual([
      ['ledger', 'holdfast-plugin-ledger#ledger'],
    ])
    write('{ notes: /tmp/notes, password: { env: LEDGER_PASSWORD }, fail: backups }')
    await expect(load()).rejects.toThrow(/unknown option fail/)
  })
})
