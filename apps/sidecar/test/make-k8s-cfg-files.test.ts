import { chmodSync, chownSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import * as nodeFs from 'node:fs/promises'
import { join } from 'node:path'
import { execFileSync, spawnSync } from 'node:child_process'
import type { KubernetesObject } from '@holdfast/sdk'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { findManifestProblems, findProblems } from '../../../scripts/kubernetes-models.ts'
import { kubernetesTool } from '../../../scripts/kubernetes-tools.ts'
import { runMakeK8sCfgFiles } from '../src/compat/make-k8s-cfg-files.ts'
import { configMapLimit, configMapOf } from '../src/generate/config-map.ts'
import { toYaml } from '../src/generate/yaml.ts'
import { writeFiles } from '../src/generate/write-files.ts'
import { testIo, type CliResult } from './support/cli.ts'
import { mountedFiles, readObjects, readYaml, type MountedFile, type PodFiles } from './support/manifests.ts'
import { workspace, type Workspace } from './support/workspace.ts'

const names = [
  'config-maps.yaml',
  'partial_service_account_name_volumes.yaml',
  'partial_volume_mounts.yaml',
  'accounts.yaml',
] as const

async function make(here: Workspace, args: readonly string[]): Promise<CliResult> {
  const { io, running } = testIo({ cwd: here.path })
  const code = await runMakeK8sCfgFiles(args, io)
  return { code, stdout: running.stdout(), stderr: running.stderr() }
}

/** Runs it, which has to succeed without a word. */
async function made(here: Workspace, ...args: readonly string[]): Promise<void> {
  const given = args.length === 0 ? ['backup', 'shop', 'app', 'scripts', 'out'] : args
  mkdirSync(here.at('out'), { recursive: true })
  expect(await make(here, given)).toEqual({ code: 0, stdout: '', stderr: '' })
}

function read(here: Workspace, name: (typeof names)[number], project = 'shop'): string {
  return readFileSync(here.at('out', `${project}-${name}`), 'utf8')
}

interface Fragments {
  readonly pod: { readonly serviceAccountName: string } & Pick<PodFiles, 'volumes'>
  readonly container: Pick<PodFiles, 'volumeMounts'>
}

function fragments(here: Workspace, project?: string): Fragments {
  const [pod] = readYaml(read(here, 'partial_service_account_name_volumes.yaml', project))
  const [container] = readYaml(read(here, 'partial_volume_mounts.yaml', project))
  return { pod, container } as Fragments
}

/** What the container would find. */
function mounted(here: Workspace, project?: string): Readonly<Record<string, MountedFile>> {
  const { pod, container } = fragments(here, project)
  return mountedFiles({ configMaps: readObjects(read(here, 'config-maps.yaml', project)), ...pod, ...container })
}

function rules(here: Workspace): readonly { readonly resources: string[]; readonly verbs: string[] }[] {
  const role = readObjects(read(here, 'accounts.yaml')).find(({ kind }) => kind === 'Role')
  return (role as KubernetesObject & { rules: [] }).rules
}

/** Some scripts of every sort. */
function shop(): Workspace {
  const here = workspace()
  here.script('install_dependencies/10-tools.sh', 'apk add mysql-client')
  here.script('before_backups/freeze', 'echo freeze')
  here.write('scripts/before_backups/freeze.undo', '#!/bin/sh\necho thaw\n')
  here.script('backups/10-dump.sh', 'dump > dump.sql')
  here.script('on_error/tell.sh', 'echo "$1"')
  return here
}

/**
 * Any character. For `unit: 'binary'` fast-check makes a table of them all, of 200 MB, which every later start of a process
 * pays for.
 */
const character = fc
  .integer({ min: 0, max: 0x10ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))

test('the four files have the names that they always had', async () => {
  const here = shop()
  await made(here)
  expect(readdirSync(here.at('out'))).toEqual(names.map((name) => `shop-${name}`).toSorted())
  for (const name of names) expect(read(here, name)).toMatchSnapshot(name)
})

test('sidefridge F20, F25: the Role has what is needed and no more; exec only where a script uses kubectlexec', async () => {
  const here = shop()
  await made(here)
  const without = rules(here)
  expect(without.map(({ resources: [resource], verbs }) => `${resource}: ${verbs.join(' ')}`)).toEqual([
    'configmaps: create delete get list',
    'events: create',
    'pods: get',
  ])
  here.script('backups/20-export.sh', 'kubectlexec export')
  await made(here)
  expect(rules(here).filter((rule) => !without.some(({ resources }) => resources[0] === rule.resources[0]))).toEqual([
    { apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] },
  ])
  expect(read(here, 'accounts.yaml')).not.toMatch(/\*|secrets/)
})

test('sidefridge F25: account, Role and binding keep their names, so that the former rights are taken away', async () => {
  const here = shop()
  await made(here)
  const objects = readObjects(read(here, 'accounts.yaml')).map(({ kind, metadata }) => [kind, metadata.name])
  expect(objects).toEqual([
    ['ServiceAccount', 'shop-full-access-service-account'],
    ['Role', 'shop-full-access-role'],
    ['RoleBinding', 'shop-full-access-role-binding'],
  ])
  expect(fragments(here).pod.serviceAccountName).toBe('shop-full-access-service-account')
})

test('sidefridge F21: every object, and the fragments in a pod, are known to the API of today', async () => {
  const here = shop()
  here.write('scripts/backups/program', '\u007fELF\0')
  await made(here)
  const objects = [...readObjects(read(here, 'config-maps.yaml')), ...readObjects(read(here, 'accounts.yaml'))]
  expect(objects.flatMap(findManifestProblems)).toEqual([])
  const { pod, container } = fragments(here)
  const spec = { ...pod, containers: [{ name: 'holdfast', image: 'holdfast', ...container }] }
  expect(findProblems('V1PodSpec', spec)).toEqual([])
})

test('sidefridge F22: names with underscores become names that Kubernetes takes', async () => {
  const here = shop()
  await made(here, 'backup', 'my_shop', 'the_app', 'scripts', 'out')
  const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
  const { pod } = fragments(here, 'my_shop')
  const objects = readObjects(read(here, 'config-maps.yaml', 'my_shop'))
  for (const name of [...pod.volumes.map((volume) => volume.name), ...objects.map(({ metadata }) => metadata.name)]) {
    expect(name).toMatch(label)
  }
  expect(objects.map(({ metadata }) => metadata.name)).toContain('my-shop-the-app-config-before-backups')
})

test.for([
  ['an upper-case project', ['backup', 'Shop', 'app'], /PROJECT_NAME can't be "Shop".* "shop" would do\.$/],
  ['a project that is a path', ['backup', '../shop', 'app'], /PROJECT_NAME can't be "\.\.\/shop".* "shop" would do\.$/],
  [
    'a namespace with an underscore',
    ['back_up', 'shop', 'app'],
    /NAMESPACE can't be "back_up".* "back-up" would do\.$/,
  ],
  ['an empty container', ['backup', 'shop', ''], /CONTAINER_NAME can't be "".*first and last\.$/],
  [
    'a volume with too long a name',
    ['backup', 'the-shop-around-the-corner', 'app'],
    /the volume "the-shop-around-the-corner-app-config-install-dependencies-volume" .*65 characters.* 63.*by 2\.$/,
  ],
] as const)('sidefridge F22: %s is refused in one line', async ([, given, message]) => {
  const here = shop()
  mkdirSync(here.at('out'))
  const { code, stdout } = await make(here, [...given, 'scripts', 'out'])
  expect(code).toBe(1)
  expect(stdout.trimEnd()).toMatch(message)
  expect(stdout.split('\n')).toHaveLength(2)
  expect(readdirSync(here.at('out'))).toEqual([])
})

test('sidefridge F23: every file arrives as it was, whatever is in it and whatever it is called', async () => {
  const here = workspace()
  const files: Record<string, string | Uint8Array> = {
    'do_backups.sh': '#!/bin/sh\necho the name of its hook in its own\n',
    yes: '#!/bin/sh\n',
    '1': '#!/bin/sh\necho no newline at the end',
    '0x1F': '#!/bin/sh\r\necho Windows\r\n',
    '-': '  indented from the start\n\tand by a tab\n',
    '.hidden~': '\n\n#!/bin/sh\n   \n\n\n',
    '2001-01-01': 'key: {{ value }} # not a template\n--- \n...\n',
    null: '',
    tab: '\tbegins with a tab\nwhich is no indentation\n',
    'program.bin': Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0, 0xff, 0xfe]),
    'latin-1': Uint8Array.from([...Buffer.from('#!/bin/sh\necho caf'), 0xe9, 0x0a]),
    'utf-8': '#!/bin/sh\necho café 🙂\n',
    'line-ends': 'a\u2028b\u0085c\u0007d\u007f\u001b[0m\ufeff\n',
  }
  // A tilde is no letter of a key: editors' backups have to be moved away.
  const fine = Object.entries(files).map(([name, content]) => [name.replace('~', '-'), content] as const)
  mkdirSync(here.at('scripts/backups'), { recursive: true })
  for (const [name, content] of fine) writeFileSync(here.at('scripts/backups', name), content)
  await made(here)
  const found = mounted(here)
  expect(Object.keys(found).toSorted()).toEqual(fine.map(([name]) => `/scripts/backups/${name}`).toSorted())
  for (const [name, content] of fine) expect(found[`/scripts/backups/${name}`]?.bytes).toEqual(Buffer.from(content))
  // Kubernetes' own reader is stricter than ours.
  here.write('out/kustomization.yaml', 'resources: [shop-config-maps.yaml]\n')
  const built = execFileSync(await kubernetesTool('kubectl'), ['kustomize', here.at('out')], { encoding: 'utf8' })
  expect(
    mountedFiles({ ...fragments(here).pod, ...fragments(here).container, configMaps: readObjects(built) }),
  ).toEqual(found)
  writeFileSync(here.at('scripts/backups/10.sh~'), '#!/bin/sh\n')
  const refused = await make(here, ['backup', 'shop', 'app', 'scripts', 'out'])
  expect(refused.code).toBe(1)
  expect(refused.stdout).toContain(`${here.at('scripts/backups/10.sh~')} has a name that a ConfigMap can't hold`)
})

test('sidefridge F23: any bytes under any name come back from the ConfigMap', () => {
  const line = fc.constantFrom(
    '#!/bin/sh',
    ' a',
    '\tb',
    '',
    ' ',
    'c: d #e',
    '---',
    '...',
    '\r',
    'é',
    '- |',
    '\0',
    '"\\n"',
  )
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: character }).map((text) => Buffer.from(text)),
    fc.tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n')).map(([lines, end]) => {
      return Buffer.from(lines.join(end))
    }),
  )
  const odd = fc.constantFrom(
    'yes',
    'no',
    'on',
    'y',
    'null',
    '1',
    '0x1F',
    '1e3',
    '.inf',
    '1_000',
    '__proto__',
    '-',
    '_',
  )
  const name = fc.oneof(odd, fc.stringMatching(/^[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,9}$/))
  const files = fc.uniqueArray(fc.record({ name, bytes: content }), { selector: (file) => file.name, maxLength: 5 })
  fc.assert(
    fc.property(files, (given) => {
      const [configMap] = readObjects(toYaml([{ value: configMapOf({ name: 'shop', files: given }) }]))
      const { data = {}, binaryData = {} } = configMap as {
        data?: Record<string, string>
        binaryData?: Record<string, string>
      }
      const back = new Map<string, Buffer>()
      for (const [key, text] of Object.entries(data)) back.set(key, Buffer.from(text))
      for (const [key, text] of Object.entries(binaryData)) back.set(key, Buffer.from(text, 'base64'))
      expect(back).toEqual(new Map(given.map((file) => [file.name, Buffer.from(file.bytes)])))
    }),
    { numRuns: process.env['HOLDFAST_TEST_LONG'] ? 20_000 : 100 },
  )
})

test('sidefridge F23: what is too large for a ConfigMap is refused, with sizes; what just fits is not', async () => {
  const here = workspace()
  here.write('scripts/backups/10.sh', 'x'.repeat(configMapLimit - 10))
  here.write('scripts/backups/20.sh', '#!/bin/sh\n')
  await made(here)
  here.write('scripts/backups/20.sh', '#!/bin/sh\n\n')
  const { code, stdout } = await make(here, ['backup', 'shop', 'app', 'scripts', 'out'])
  expect(code).toBe(1)
  expect(stdout).toContain(
    'have 1048577 bytes, and a ConfigMap may have 1048576; largest: 10.sh (1048566 bytes), 20.sh',
  )
  here.write('scripts/backups/huge', 'x'.repeat(3 * configMapLimit))
  expect((await make(here, ['backup', 'shop', 'app', 'scripts', 'out'])).stdout).toContain('huge (3145728 bytes)')
})

test('sidefridge F24: the same scripts make the same bytes, in the order of a run, and nothing for hooks without any', async () => {
  const here = shop()
  mkdirSync(here.at('scripts/after_backups'))
  mkdirSync(here.at('scripts/lib'))
  here.write('scripts/lib/functions.sh', 'no script')
  await made(here)
  const first = names.map((name) => read(here, name))
  await made(here)
  expect(names.map((name) => read(here, name))).toEqual(first)
  const { pod, container } = fragments(here)
  expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toEqual([
    '/scripts/install_dependencies',
    '/scripts/before_backups',
    '/scripts/backups',
    '/scripts/on_error',
    '/var/lib/holdfast',
  ])
  expect(pod.volumes.at(-1)).toEqual({ name: 'holdfast-state', emptyDir: {} })
  expect(first.join('')).not.toMatch(/null|after-backups|functions/)
})

test('sidefridge F24: modes are numbers that every reader takes alike, and a program is executable for every user', async () => {
  const here = workspace()
  here.script('backups/10.sh', 'true')
  here.write('scripts/backups/program', '\u007fELF\0')
  await made(here)
  const found = mounted(here)
  expect(found['/scripts/backups/10.sh']?.mode).toBe(0o744)
  expect(found['/scripts/backups/program']?.mode).toBe(0o755)
})

test('sidefridge F24: a failure leaves the files that were there, and nothing half-written', async () => {
  const here = workspace()
  here.write('out/a', 'old a')
  here.write('out/b', 'old b')
  let opened = 0
  const full: typeof nodeFs = {
    ...nodeFs,
    open: (...args) => {
      if (++opened < 2) return nodeFs.open(...args)
      return Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }))
    },
  }
  const files = ['a', 'b'].map((name) => ({ name, content: 'new' }))
  await expect(writeFiles(here.at('out'), files, full)).rejects.toThrow(/out can't be written: ENOSPC/)
  mkdirSync(here.at('out/c'))
  await expect(writeFiles(here.at('out'), [...files, { name: 'c', content: '' }])).rejects.toThrow(/c is a directory/)
  expect(readdirSync(here.at('out'))).toEqual(['a', 'b', 'c'])
  expect(readFileSync(here.at('out/a'), 'utf8')).toBe('old a')
})

test('input and output may be one directory, and what was written is never taken for a script', async () => {
  const here = shop()
  await made(here, 'backup', 'shop', 'app', 'scripts', 'scripts')
  await made(here, 'backup', 'shop', 'app', 'scripts', 'scripts/backups')
  const before = readFileSync(here.at('scripts/shop-config-maps.yaml'), 'utf8')
  await made(here, 'backup', 'shop', 'app', 'scripts', 'scripts')
  await made(here, 'backup', 'other', 'app', 'scripts', 'scripts/backups')
  await made(here, 'backup', 'shop', 'app', 'scripts', 'scripts')
  expect(readFileSync(here.at('scripts/shop-config-maps.yaml'), 'utf8')).toBe(before)
  expect(readdirSync(here.at('scripts/backups'))).toHaveLength(9)
})

test('every directory of scripts that runs is taken, and a mounted ConfigMap can be the input', async () => {
  const here = workspace()
  for (const directory of ['validate', 'verify_backups', 'prune_backups', 'maintain', 'on_finish', 'restore']) {
    here.script(`${directory}/10.sh`, 'true')
  }
  here.write('scripts/backups/..2026_11_23/10.sh', '#!/bin/sh\n')
  symlinkSync('..2026_11_23', here.at('scripts/backups/..data'))
  symlinkSync('..data/10.sh', here.at('scripts/backups/10.sh'))
  await made(here)
  expect(Object.keys(mounted(here))).toEqual([
    '/scripts/validate/10.sh',
    '/scripts/backups/10.sh',
    '/scripts/verify_backups/10.sh',
    '/scripts/prune_backups/10.sh',
    '/scripts/maintain/10.sh',
    '/scripts/on_finish/10.sh',
    '/scripts/restore/10.sh',
  ])
})

test('another path for the scripts goes into the mounts, and says what else it takes', async () => {
  const here = shop()
  await made(here, '-csp', '/opt/scripts/', 'backup', 'shop', 'app', 'scripts', 'out')
  expect(fragments(here).container.volumeMounts[2]?.mountPath).toBe('/opt/scripts/backups')
  expect(read(here, 'partial_volume_mounts.yaml')).toContain('set HOLDFAST_SCRIPTS to /opt/scripts in this container')
  expect((await make(here, ['-csp', 'here', 'backup', 'shop', 'app', 'scripts', 'out'])).stdout).toContain(
    'absolute path',
  )
})

test('sidefridge S9: directories that only look like a hook, and none with scripts at all, are refused', async () => {
  const here = shop()
  here.script('before_backup/10.sh', 'true')
  here.script('error/10.sh', 'true')
  mkdirSync(here.at('out'))
  const { code, stdout } = await make(here, ['backup', 'shop', 'app', 'scripts', 'out'])
  expect(code).toBe(1)
  expect(stdout).toMatch(/before_backup is no hook's directory: did you mean .*before_backups/)
  expect(stdout).toMatch(/error is no hook's directory: did you mean .*on_error/)
  expect(stdout.trimEnd().split('\n')).toHaveLength(2)
  const none = await make(here, ['backup', 'shop', 'app', 'out', 'out'])
  expect(none).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`there is no script in ${here.at('out')}`) as string,
  })
})

test('a missing directory is one line and exit code 1, wrong usage is 2', async () => {
  const here = shop()
  mkdirSync(here.at('out'))
  for (const [input, output, message] of [
    ['nowhere', 'out', `INPUT_DIR ${here.at('nowhere')} can't be used: it is not there`],
    ['scripts', 'nowhere', `OUTPUT_DIR ${here.at('nowhere')} can't be used: it is not there`],
    ['scripts/backups/10-dump.sh', 'out', 'it is no directory'],
  ] as const) {
    const { code, stdout } = await make(here, ['backup', 'shop', 'app', input, output])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^\[\d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d\] .*\n$/)
    expect(stdout).toContain(message)
  }
  for (const [args, message] of [
    [[], 'the following arguments are required: NAMESPACE, PROJECT_NAME, CONTAINER_NAME, INPUT_DIR, OUTPUT_DIR'],
    [['backup', 'shop', 'app', 'scripts'], 'the following arguments are required: OUTPUT_DIR'],
    [['backup', 'shop', 'app', 'scripts', 'out', 'more'], 'unrecognized arguments: more'],
    [['-x', 'backup', 'shop', 'app', 'scripts', 'out'], 'unrecognized arguments: -x'],
    [['backup', '-csp'], 'argument -csp/--container-scripts-path: expected one argument'],
  ] as const) {
    const { code, stdout, stderr } = await make(here, args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^usage: make-k8s-cfg-files /)
    expect(stderr).toContain(`make-k8s-cfg-files: error: ${message}\n`)
  }
  const help = await make(here, ['--help'])
  expect(help).toMatchObject({ code: 0, stderr: '' })
  expect(help.stdout).toContain('PROJECT_NAME-partial_volume_mounts.yaml')
  for (const csp of [['--container-scripts-path=/x'], ['--cont', '/x'], ['-csp/x'], ['-csp=/x']]) {
    await made(here, 'backup', 'shop', ...csp, 'app', '--', 'scripts', 'out')
    expect(fragments(here).container.volumeMounts[2]?.mountPath).toBe('/x/backups')
  }
})

test('a directory that belongs to somebody else: the error names --user', () => {
  // As in a container: `docker run -v "$PWD:/data" … make-k8s-cfg-files … /data/scripts /data/out`.
  const isRoot = process.getuid?.() === 0
  const here = shop()
  mkdirSync(here.at('out'))
  mkdirSync(here.at('closed/backups'), { recursive: true })
  chmodSync(here.path, 0o755)
  chmodSync(here.at('closed'), isRoot ? 0o700 : 0o000)
  chmodSync(here.at('out'), isRoot ? 0o755 : 0o555)
  if (isRoot) for (const directory of ['out', 'closed']) chownSync(here.at(directory), 1234, 1234)
  const command = join(import.meta.dirname, '../bin/make-k8s-cfg-files.js')
  const run = (input: string): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [command, 'backup', 'shop', 'app', input, 'out'], {
      cwd: here.path,
      encoding: 'utf8',
      ...(isRoot && { uid: 65534, gid: 65534 }),
    })
  for (const [input, action, directory] of [
    ['scripts', 'write to', 'out'],
    ['closed', 'read', 'closed'],
  ] as const) {
    const { status, stdout, stderr } = run(input)
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
    expect(String(stdout).trimEnd().split('\n')).toHaveLength(1)
    const owner = `user 65534 may not ${action} ${here.at(directory)}, which belongs to user 1234. `
    // Somebody who isn't root can't give a directory away; then it is only closed.
    expect(stdout).toContain(isRoot ? owner : here.at(directory))
    if (isRoot) expect(stdout).toContain('docker run --user "$(id -u):$(id -g)"')
  }
  expect(readdirSync(here.at('out'))).toEqual([])
  for (const directory of ['out', 'closed']) chmodSync(here.at(directory), 0o755)
})
