// The commands that scripts call: save_var, store_var, load_var and save_artifact, as files, in real processes.
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { basename, join } from 'node:path'
import { clearStandaloneVars } from '@holdfast/plugin-scripts'
import { createVars, varFileName } from '@holdfast/runtime'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'

const bin = join(import.meta.dirname, '../bin')

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'commands-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function call(env: Record<string, string>, command: string, ...words: string[]): SpawnSyncReturns<string> {
  return spawnSync(join(bin, command), words, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', ...env },
    input: 'input that nobody asked for',
  })
}

/** The commands in a run's environment. */
function inRun(path = directory()) {
  const env = { HOLDFAST_VARS: path }
  return {
    path,
    save: (...words: string[]) => call(env, 'save_var', ...words),
    store: (...words: string[]) => call(env, 'store_var', ...words),
    load: (...words: string[]) => call(env, 'load_var', ...words),
  }
}

const done = { status: 0, stdout: '', stderr: '' }

describe('save_var and load_var', () => {
  test('sidefridge S10: both names that sidefridge gave the command save', () => {
    const { save, store, load } = inRun()
    expect(save('KEY', 'first')).toMatchObject(done)
    expect(load('KEY')).toMatchObject({ status: 0, stdout: 'first\n' })
    expect(store('KEY', 'second')).toMatchObject(done)
    expect(load('KEY')).toMatchObject({ status: 0, stdout: 'second\n' })
  })

  test('a missing key gives the default, else an empty line, and exit code 0', () => {
    const { load } = inRun()
    expect(load('KEY', 'default')).toMatchObject({ status: 0, stdout: 'default\n' })
    expect(load('KEY')).toMatchObject({ status: 0, stdout: '\n', stderr: '' })
  })

  test('sidefridge F14: values may begin with "-", and an empty one is not a missing one', () => {
    const { save, store, load } = inRun()
    expect(save('KEY', '-5')).toMatchObject(done)
    expect(load('KEY', 'default')).toMatchObject({ stdout: '-5\n' })
    expect(save('KEY', '')).toMatchObject(done)
    expect(load('KEY', 'default')).toMatchObject({ stdout: '\n' })
    // How it had to be written with sidefridge.
    expect(store('--', 'KEY', '-6')).toMatchObject(done)
    expect(load('--', 'KEY')).toMatchObject({ stdout: '-6\n' })
    expect(store('KEY', '--', '-7')).toMatchObject(done)
    expect(load('KEY')).toMatchObject({ stdout: '-7\n' })
  })

  test.each([
    ['-'],
    ['--'],
    ['--help'],
    ['-n'],
    [''],
    ['.'],
    ['..'],
    ['a/b'],
    ['a\nb'],
    ['*'],
    ['%'],
    ['~'],
    ['x'.repeat(5000)],
    ['\u{1f512} '.repeat(400)],
  ])('the key %j is a key like any other', (key) => {
    const { save, load } = inRun()
    expect(save(key, `value of ${key}`)).toMatchObject(done)
    expect(load('--', key)).toMatchObject({ status: 0, stdout: `value of ${key}\n` })
  })

  test.each([[[]], [['KEY']], [['KEY', 'a', 'b']]])('save_var %j is a mistake: exit code 2 and the usage', (words) => {
    const { save, path } = inRun()
    expect(save(...words)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('usage: save_var KEY VALUE'),
    })
    expect(readdirSync(path)).toEqual([])
  })

  test.each([[[]], [['a', 'b', 'c']]])('load_var %j is a mistake: exit code 2 and the usage', (words) => {
    expect(inRun().load(...words)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('usage: load_var KEY'),
    })
  })

  test('--help', () => {
    const { save, store, load } = inRun()
    expect(save('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('usage: save_var') })
    expect(store('-h')).toMatchObject({ status: 0, stdout: expect.stringContaining('usage: store_var') })
    expect(load('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('usage: load_var') })
  })

  test('they work through links to them, as npm makes them', () => {
    const { path } = inRun()
    const links = directory()
    for (const name of ['store_var', 'load_var']) symlinkSync(join(bin, name), join(links, name))
    const env = { ...process.env, HOLDFAST_VARS: path }
    spawnSync(join(links, 'store_var'), ['KEY', 'value'], { env })
    expect(spawnSync(join(links, 'load_var'), ['KEY'], { env, encoding: 'utf8' }).stdout).toBe('value\n')
  })

  test('a run that has ended is an error, not a silent loss', () => {
    const { save } = inRun('/nonexistent/vars')
    expect(save('KEY', 'value')).toMatchObject({ status: 1, stderr: expect.stringContaining('has the run ended?') })
  })

  test.each(['sh', 'bash'])('%s and the runtime agree about every key and value', async (shell) => {
    const path = directory()
    const vars = createVars(path)
    const run = (command: string, ...words: string[]) =>
      spawnSync(shell, [join(bin, command), ...words], {
        env: { ...process.env, HOLDFAST_VARS: path },
        encoding: 'utf8',
      })
    const text = fc
      .string({
        unit: fc.oneof(
          fc.constantFrom('\n', ' ', "'", '"', '\\', '%', '-', '$'),
          fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        ),
      })
      .filter((each) => !each.includes('\0'))
    await fc.assert(
      fc.asyncProperty(text, text, text, async (key, value, next) => {
        expect(run('save_var', key, value)).toMatchObject(done)
        expect(existsSync(join(path, varFileName(key)))).toBe(true)
        expect(await vars.get(key)).toBe(value)
        await vars.set(key, next)
        expect(run('load_var', '--', key)).toMatchObject({ status: 0, stdout: `${next}\n` })
      }),
      {
        numRuns: 20,
        examples: [
          ['k', '\n\n', '\n'],
          ['k', 'x'.repeat(100_000), 'y\n'.repeat(10_000)],
          ['\u0081\u0088é', '\u0081\u0088', '\u0081'],
        ],
      },
    )
  })

  test('fault F13: two processes with 1,000 operations each never corrupt a value or lose one', async () => {
    const { path } = inRun()
    // Each writes a key of both and one of its own, and reads both.
    const script = `
      i=0
      while [ $i -lt 250 ]; do
        i=$((i + 1))
        case $((i % 3)) in 0) text=$i ;; 1) text=$long ;; *) text="$i
      $long" ;; esac
        save_var shared "[$text]" || exit 1
        save_var "$1-$i" "[$1 $i]" || exit 1
        load_var shared || exit 1
        load_var "$1-$i" || exit 1
      done`
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, HOLDFAST_VARS: path, long: 'x'.repeat(3000) }
    const outputs = await Promise.all(
      ['a', 'b'].map(async (writer) => {
        const child = spawn('sh', ['-c', script, 'sh', writer], { env, stdio: ['ignore', 'pipe', 'inherit'] })
        let output = ''
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
        const [code] = (await once(child, 'close')) as [number]
        expect(code).toBe(0)
        return output
      }),
    )
    const whole = /^(?:\[\d+\]|\[x{3000}\]|\[\d+\n {6}x{3000}\]|\[[ab] \d+\])$/
    for (const [index, output] of outputs.entries()) {
      const values = output.split(/(?<=\])\n/).slice(0, -1)
      expect(values).toHaveLength(500)
      expect(values.filter((value) => !whole.test(value))).toEqual([])
      expect(values.filter((value) => value.startsWith(`[${'ab'[index]} `))).toHaveLength(250)
    }
    const vars = createVars(path)
    for (const writer of ['a', 'b']) {
      for (let i = 1; i <= 250; i++) expect(await vars.get(`${writer}-${i}`)).toBe(`[${writer} ${i}]`)
    }
    expect(readdirSync(path).filter((name) => name.startsWith('.'))).toEqual([])
  })
})

describe('save_var and load_var outside a run', () => {
  /** A place of the user's own, as a login session has it. */
  function outside() {
    const base = directory()
    const env = { XDG_RUNTIME_DIR: base }
    return {
      base,
      env,
      store: join(base, `holdfast-vars-${userInfo().uid}`),
      save: (...words: string[]) => call(env, 'save_var', ...words),
      load: (...words: string[]) => call(env, 'load_var', ...words),
    }
  }

  test('have a private store of their own, which the next run clears', async () => {
    const { env, store, save, load } = outside()
    expect(load('KEY', 'default')).toMatchObject({ status: 0, stdout: 'default\n' })
    expect(existsSync(store)).toBe(false)
    expect(save('KEY', 'value')).toMatchObject(done)
    expect(statSync(store).mode & 0o777).toBe(0o700)
    expect(load('KEY')).toMatchObject({ stdout: 'value\n' })
    expect(await clearStandaloneVars(env)).toBe(true)
    expect(existsSync(store)).toBe(false)
    expect(load('KEY')).toMatchObject({ status: 0, stdout: '\n' })
    expect(await clearStandaloneVars(env)).toBe(false)
  })

  test('fall back to /tmp where there is no directory of the user', () => {
    const env = { XDG_RUNTIME_DIR: '/nonexistent' }
    expect(call(env, 'load_var', `never-set-${process.pid}`, 'default')).toMatchObject({
      status: 0,
      stdout: 'default\n',
    })
  })

  test('sidefridge S8: a link that somebody else has put there is not followed, by no command', async () => {
    const { base, env, store, save, load } = outside()
    mkdirSync(join(base, 'elsewhere'))
    writeFileSync(join(base, 'elsewhere/KEY'), 'poison\n')
    symlinkSync('elsewhere', store)
    expect(save('KEY', 'value')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not a directory of yours'),
    })
    expect(load('KEY')).toMatchObject({ status: 1, stdout: '' })
    expect(await clearStandaloneVars(env)).toBe(false)
    expect(readFileSync(join(base, 'elsewhere/KEY'), 'utf8')).toBe('poison\n')
    expect(lstatSync(store).isSymbolicLink()).toBe(true)
  })

  test.runIf(userInfo().uid === 0)('a directory of another user is neither read nor cleared', async () => {
    const { env, store, save, load } = outside()
    mkdirSync(store)
    writeFileSync(join(store, 'KEY'), 'poison\n')
    spawnSync('chown', ['-R', '65534', store])
    expect(save('KEY', 'value')).toMatchObject({ status: 1 })
    expect(load('KEY')).toMatchObject({ status: 1, stdout: '' })
    expect(await clearStandaloneVars(env)).toBe(false)
    expect(existsSync(join(store, 'KEY'))).toBe(true)
  })
})

describe('save_artifact outside the backups of a run', () => {
  test('reads nothing, says where it belongs and exits with 1', async () => {
    const child = spawn(join(bin, 'save_artifact'), ['dump'], { env: { PATH: process.env.PATH ?? '' } })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    // Standard input stays open: whoever read it would wait for ever.
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(1)
    expect(stderr).toMatch(/^save_artifact: .*backups directory.*\n$/)
  })

  test('empty variables, as the other hooks have them, are none', () => {
    const env = { HOLDFAST_ARTIFACT_SOCKET: '', HOLDFAST_ARTIFACT_TOKEN: '' }
    expect(call(env, 'save_artifact', 'dump')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('backups directory'),
    })
  })

  test('usage', () => {
    expect(call({}, 'save_artifact', '--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('usage: save_artifact NAME'),
    })
    for (const words of [[], [''], ['a', 'b', 'c']])
      expect(call({}, 'save_artifact', ...words)).toMatchObject({ status: 2 })
  })

  test('is found through a link to it, and by the Node that runs Holdfast', () => {
    const links = directory()
    symlinkSync(join(bin, 'save_artifact'), join(links, 'save_artifact'))
    const env = { PATH: '/usr/bin:/bin', HOLDFAST_NODE: process.execPath }
    const { status, stderr } = spawnSync(join(links, 'save_artifact'), ['dump'], { env, encoding: 'utf8' })
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('backups directory') })
  })

  test('its Node program needs nothing but Node, of version 18 or newer', () => {
    const copy = join(directory(), basename('save_artifact.cjs'))
    writeFileSync(copy, readFileSync(join(bin, 'save_artifact.js')))
    chmodSync(copy, 0o755)
    for (const node of new Set(
      [process.execPath, '/usr/bin/node', '/usr/local/bin/node'].filter((path) => existsSync(path)),
    )) {
      const { status, stderr } = spawnSync(node, [copy, 'dump'], { env: {}, encoding: 'utf8' })
      expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('backups directory') })
    }
  })
})
