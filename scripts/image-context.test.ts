import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { scriptDirectories } from '../packages/plugin-scripts/src/hooks.ts'
import { copiesOf, parseDockerfile } from './dockerfile.ts'
import { applicationDirectory, compressBest, writeImageContext } from './image-context.ts'
import { binsOf, readManifest, root } from './workspaces.ts'

/** What each Dockerfile leaves in the context for others. */
const unused = {
  Dockerfile: ['benji'],
  'Dockerfile.alpine': ['benji', 'debian'],
  'Dockerfile.benji': ['app', 'build', 'debian', 'rootfs'],
  'Dockerfile.benji-k8s': ['benji', 'debian'],
}
/** `npm run image:wheels` adds them. */
const later = ['benji/wheels']
const time = new Date('2026-01-02T03:04:05Z')
let folder: string

// This repository's sidecar, with something small in the place of its bundle.
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'context-'))
  const ours = ['bin', 'image', 'package.json', 'LICENSE', 'THIRD_PARTY_NOTICES.md', ...Object.keys(unused)]
  for (const name of ours) {
    cpSync(join(root, 'apps/sidecar', name), join(folder, 'repository/apps/sidecar', name), { recursive: true })
  }
  // Not as a link, where a tree shares its packages with another: a test below writes into it.
  for (const name of ['NOTICE', 'node_modules/jiti']) {
    cpSync(join(root, name), join(folder, 'repository', name), { recursive: true, dereference: true })
  }
  write('repository/apps/sidecar/dist/holdfast.js', 'export function main() {}\n')
  write('repository/apps/sidecar/dist/holdfast.js.map', '{ "sources": ["../../../node_modules/@s/b/x.js"] }')
  write('repository/apps/sidecar/dist/.cache/v1/entry', 'of this machine')
  write('repository/node_modules/@s/b/package.json', '{ "name": "@s/b", "version": "1.0.0", "license": "MIT" }')
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

const compressed = new Map<string, Buffer>()

/** The same bytes once for all tests. */
function compress(bytes: Buffer): Buffer {
  const digest = createHash('sha256').update(bytes).digest('hex')
  const known = compressed.get(digest) ?? compressBest(bytes)
  compressed.set(digest, known)
  return known
}

function writeContext(to = 'context'): string {
  writeImageContext({ from: join(folder, 'repository'), to: join(folder, to), time, compress })
  return join(folder, to)
}

function filesOf(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()
}

test.for(Object.entries(unused))('everything that %s copies is there, and is copied', ([name, left]) => {
  const context = writeContext()
  const copies = copiesOf(parseDockerfile(readFileSync(join(context, name), 'utf8')))
  const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources)
  for (const source of sources.filter((each) => !later.includes(each))) {
    expect(existsSync(join(context, source)), source).toBe(true)
  }
  const others = readdirSync(context).filter(
    (each) => !/^(\.|Dockerfile)/.test(each) && !sources.some((source) => source.split('/')[0] === each),
  )
  expect(others.toSorted()).toEqual(left)
  expect(copies.at(-1)?.sources).toEqual([name === 'Dockerfile.benji' ? '/opt/benji' : applicationDirectory])
})

test('the application is what npm would publish, without what only debuggers and this machine use', () => {
  const app = join(writeContext(), 'app')
  const files = filesOf(app)
  expect(files).toEqual(expect.arrayContaining(['dist/holdfast.js', 'bin/launch.js', 'LICENSE', 'NOTICE']))
  expect(files).toContain('node_modules/jiti/lib/jiti.mjs')
  expect(gunzipSync(readFileSync(join(app, 'THIRD_PARTY_NOTICES.md.gz')))).toEqual(
    readFileSync(join(root, 'apps/sidecar/THIRD_PARTY_NOTICES.md')),
  )
  expect(files.filter((file) => /\.map$|\.cache|\.d\.[cm]?ts$/.test(file))).toEqual([])
})

test('what is large and seldom needed is packed, and works as before', () => {
  const app = join(writeContext(), 'app')
  const packed = join(app, 'node_modules/jiti/dist')
  const names = readdirSync(packed).toSorted()
  expect(names).toEqual(['babel.cjs', 'babel.cjs.br', 'jiti.cjs', 'jiti.cjs.br'])
  expect(names.reduce((sum, name) => sum + statSync(join(packed, name)).size, 0)).toBeLessThan(450_000)
  const { createJiti } = createRequire(join(app, 'bin/launch.js'))('jiti') as {
    createJiti(
      from: string,
      options: object,
    ): { evalModule(source: string, options: { readonly filename: string; readonly ext: string }): unknown }
  }
  const jiti = createJiti(join(app, 'bin/launch.js'), { fsCache: false })
  const source = 'enum Hours { day = 24 }\nexport const hours: number = Hours.day'
  expect(jiti.evalModule(source, { filename: join(folder, 'hours.ts'), ext: '.ts' })).toMatchObject({ hours: 24 })
})

test('every command of the sidecar is on the PATH of its images', () => {
  const context = writeContext()
  const commands = join(context, 'rootfs/usr/local/bin')
  const bins = binsOf(readManifest(join(root, 'apps/sidecar')))
  expect(Object.keys(bins)).toEqual(expect.arrayContaining(['holdfast', 'fridge', 'store_var', 'load_var']))
  expect(readdirSync(commands).toSorted()).toEqual(Object.keys(bins).toSorted())
  for (const [name, file] of Object.entries(bins)) {
    expect(readlinkSync(join(commands, name))).toBe(`/app/${file}`)
    expect(lstatSync(join(context, 'app', file)).mode & 0o777, file).toBe(0o755)
  }
})

test('there is a place for the scripts of every hook, and for secrets', () => {
  const rootfs = join(writeContext(), 'rootfs')
  expect(readdirSync(join(rootfs, 'scripts')).toSorted()).toEqual(scriptDirectories.toSorted())
  expect(existsSync(join(rootfs, 'secrets'))).toBe(true)
})

test('the list of components has what is in the bundle and what is beside it', () => {
  const text = readFileSync(join(writeContext(), 'app/sbom.cdx.json'), 'utf8')
  const { bomFormat, components } = JSON.parse(text) as { bomFormat: string; components: { purl: string }[] }
  expect(bomFormat).toBe('CycloneDX')
  expect(components.map(({ purl }) => purl)).toEqual(['pkg:npm/%40s/b@1.0.0', expect.stringMatching(/^pkg:npm\/jiti@/)])
})

test('twice the same build gives the same context: names, contents, modes, times', () => {
  const state = (context: string): readonly string[] =>
    filesOf(context).map((file) => {
      const { mode, mtimeMs, size } = lstatSync(join(context, file))
      const isFile = lstatSync(join(context, file)).isFile()
      const digest = isFile
        ? createHash('sha256')
            .update(readFileSync(join(context, file)))
            .digest('hex')
        : ''
      return [file, mode.toString(8), mtimeMs, isFile ? size : '', digest].join(' ')
    })
  const first = state(writeContext('first'))
  execFileSync('chmod', ['-R', 'g+w,o-r', join(folder, 'repository/apps/sidecar/bin')])
  expect(state(writeContext('second'))).toEqual(first)
  expect(first.filter((line) => !line.includes(` ${time.getTime()} `))).toEqual([])
})

test('an earlier context is replaced; anything else in that place is left alone', () => {
  const context = writeContext()
  write('context/app/dist/stale.js', '')
  expect(filesOf(writeContext())).not.toContain('app/dist/stale.js')
  rmSync(join(context, '.image-context'))
  expect(() => writeContext()).toThrow('name a directory that is empty or not there')
  expect(existsSync(join(context, 'app/dist/holdfast.js'))).toBe(true)
})

test('without a build, and with a dependency that would bring others, it says what to do', () => {
  write(
    'repository/node_modules/jiti/package.json',
    '{ "name": "jiti", "version": "9.0.0", "dependencies": { "other": "1.0.0" } }',
  )
  expect(() => writeContext('a')).toThrow("jiti needs other, which images don't get")
  rmSync(join(folder, 'repository/node_modules/jiti'), { recursive: true })
  expect(() => writeContext('b')).toThrow('jiti is not installed: npm ci')
  rmSync(join(folder, 'repository/apps/sidecar/dist'), { recursive: true })
  expect(() => writeContext('c')).toThrow('is not built: npm run build')
})
