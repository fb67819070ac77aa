// `npm create holdfast-plugin NAME`, on our sources. From packed tarballs, with each TypeScript, it is tried by
// `npm run check:packages`.
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { main } from '../src/main.ts'
import { namesOf } from '../src/names.ts'
import { identifiersOfTemplate } from '../src/write-plugin.ts'

const root = join(import.meta.dirname, '../../..')

function emptyFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'create-plugin-')))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function create(cwd: string, ...args: string[]): { code: number; out: string; err: string } {
  return createWith('24.21.0', cwd, ...args)
}

function createWith(node: string, cwd: string, ...args: string[]): { code: number; out: string; err: string } {
  let out = ''
  let err = ''
  const code = main(args, { cwd, node, out: (text) => (out += text), err: (text) => (err += text) })
  return { code, out, err }
}

test('a plugin has its names everywhere', () => {
  const cwd = emptyFolder()
  const { code, out, err } = create(cwd, '@acme/redis-cluster')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const written = out.split('\n').flatMap((line) => /^ {2}holdfast-plugin-redis-cluster\/(.+)$/.exec(line)?.[1] ?? [])
  expect(written).toEqual([
    '.github/workflows/ci.yml',
    '.github/workflows/publish.yml',
    '.gitignore',
    'README.md',
    'package.json',
    'src/index.ts',
    'src/options.ts',
    'src/pause.ts',
    'src/redis-cluster.ts',
    'test/conformance.test.ts',
    'test/redis-cluster.test.ts',
    'tsconfig.build.json',
    'tsconfig.json',
  ])
  const directory = join(cwd, 'holdfast-plugin-redis-cluster')
  const read = (file: string): string => readFileSync(join(directory, file), 'utf8')
  for (const file of written) expect(read(file)).not.toMatch(/template/i)
  expect(JSON.parse(read('package.json'))).toMatchObject({
    name: '@acme/holdfast-plugin-redis-cluster',
    publishConfig: { access: 'public' },
  })
  expect(read('src/index.ts')).toContain("export { redisCluster } from './redis-cluster.ts'")
  expect(read('src/redis-cluster.ts')).toContain("name: 'redis-cluster'")
  expect(out).toContain('cd holdfast-plugin-redis-cluster\n  npm install\n  npm test')
})

test.each([
  ['20.20.2', true],
  ['22.18.9', true],
  ['22.19.0', false],
  ['24.0.0', false],
])('with Node %s it says that the tests take a newer one: %s', (node, isSaid) => {
  const { code, out } = createWith(node, emptyFolder(), 'redis')
  expect(code).toBe(0)
  expect(out.includes(`This is Node ${node}. Building and testing it takes 22.19 or newer`)).toBe(isSaid)
})

test.each([
  [[], 'The plugin has no name yet.\n\nUsage: npm create holdfast-plugin NAME'],
  [['redis', 'cluster'], 'A plugin has one name.\n\nUsage: npm create holdfast-plugin NAME'],
])('%j is not taken, and it says why', (args, says) => {
  const { code, err } = create(emptyFolder(), ...args)
  expect({ code, err: err.slice(0, says.length) }).toEqual({ code: 2, err: says })
})

test('what was built of a file that is gone is not packed', () => {
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../template/_package.json'), 'utf8')) as {
    readonly scripts: { readonly build: string }
  }
  const cwd = emptyFolder()
  mkdirSync(join(cwd, 'dist'))
  writeFileSync(join(cwd, 'dist/pause.js'), '')
  const [clean = ''] = scripts.build.split(' && ')
  expect(spawnSync('sh', ['-c', clean], { cwd }).status).toBe(0)
  expect(existsSync(join(cwd, 'dist'))).toBe(false)
})

test('it asks for the versions that there are', () => {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../template/_package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>
  const installed = (name: string): string =>
    (JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version
  for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies })) {
    const [major] = range.slice(1).split('.')
    expect(`${name} ${installed(name).split('.')[0]}`).toBe(`${name} ${major}`)
  }
})

test('what it has written passes its own tests, the conformance suite among them', () => {
  const cwd = emptyFolder()
  expect(create(cwd, 'redis').code).toBe(0)
  const directory = join(cwd, 'holdfast-plugin-redis')
  for (const name of ['@holdfast/sdk', '@holdfast/testing', 'zod']) {
    const link = join(directory, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(root, 'node_modules', name)), link)
  }
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
  const args = [
    '--conditions=@holdfast/source',
    '--test',
    '--test-isolation=none',
    '--test-reporter=tap',
    'test/*.test.ts',
  ]
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8', env })
  expect(stdout).toContain('# pass 14\n# fail 0')
  expect(status).toBe(0)
})

test('a name that the written files use for something else, such as tar, is no name of the factory', () => {
  const cwd = emptyFolder()
  for (const name of ['tar', 'run', 'path', 'test', 'join', 'outcome', 'name', 'use', 'replies']) {
    expect(create(cwd, name).code).toBe(0)
    const read = (file: string): string => readFileSync(join(cwd, `holdfast-plugin-${name}`, file), 'utf8')
    expect(read('src/index.ts')).toContain(`export { ${name}Plugin } from './${name}.ts'`)
    expect(read(`src/${name}.ts`)).toMatch(new RegExp(`^export const ${name}Plugin: .*\\n  name: '${name}',`, 'm'))
  }
  // Whatever else is written later.
  for (const identifier of identifiersOfTemplate()) {
    const names = namesOf(identifier.toLowerCase(), identifiersOfTemplate())
    if (names) expect(identifiersOfTemplate()).not.toContain(names.factory)
  }
})

test('it overwrites nothing', () => {
  const cwd = emptyFolder()
  mkdirSync(join(cwd, 'holdfast-plugin-redis'))
  writeFileSync(join(cwd, 'holdfast-plugin-redis/mine'), 'mine')
  const { code, err } = create(cwd, 'redis')
  expect({ code, err }).toEqual({
    code: 1,
    err: 'There is something in holdfast-plugin-redis already. Nothing was written: move it, or take another name.\n',
  })
  expect(existsSync(join(cwd, 'holdfast-plugin-redis/package.json'))).toBe(false)
})

test('where nothing can be written, it says so', () => {
  const cwd = join(emptyFolder(), 'file')
  writeFileSync(cwd, '')
  const { code, err } = create(cwd, 'redis')
  expect(code).toBe(1)
  expect(err).toMatch(/^holdfast-plugin-redis can't be written: ENOTDIR/)
})

test('it says how it is called', () => {
  const cwd = emptyFolder()
  expect(create(cwd, '--help')).toMatchObject({ code: 0, out: expect.stringMatching(/^Usage: npm create/) })
  expect(create(cwd)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^The plugin has no name yet\.\n\nUsage: npm create/),
  })
  expect(create(cwd, 'a', 'b').code).toBe(2)
  for (const name of [
    'Redis',
    '../redis',
    'redis_cluster',
    '-x',
    '--force',
    'delete',
    '@acme',
    '@/x',
    'a--b',
    'ä',
    'index',
    'pause',
  ]) {
    expect(create(cwd, name)).toMatchObject({ code: 2, err: expect.stringContaining("can't be the name of a plugin") })
  }
})

test.each([
  ['redis', 'holdfast-plugin-redis', 'redis', 'Redis'],
  ['holdfast-plugin-redis', 'holdfast-plugin-redis', 'redis', 'Redis'],
  ['@acme/holdfast-plugin-my-s3', '@acme/holdfast-plugin-my-s3', 'myS3', 'MyS3'],
])('%s', (given, name, factory, type) => {
  expect(namesOf(given, new Set())).toMatchObject({ package: name, factory, type })
})
