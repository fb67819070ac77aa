// What the images are made from, looked at without a container engine. Dockerfile.alpine is only ever looked at: its base
// can't be had where these tests run. The other one is built and run by the end-to-end tests.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lintDockerfile, parseDockerfile } from '../../../scripts/dockerfile.ts'
import { workspace } from './support/workspace.ts'

const app = join(import.meta.dirname, '..')
const read = (name: string): string => readFileSync(join(app, name), 'utf8')
const { version, bin } = JSON.parse(read('package.json')) as { version: string; bin: Record<string, string> }
const node = readFileSync(join(app, '../../.nvmrc'), 'utf8').trim()

describe.for(['Dockerfile', 'Dockerfile.alpine'])('%s', (name) => {
  const source = read(name)
  const file = parseDockerfile(source)
  const image = file.stages.at(-1)?.instructions ?? []
  const last = (instruction: string) => image.findLast((each) => each.name === instruction)

  test('has no problem', () => {
    expect(lintDockerfile(source)).toEqual([])
  })

  test('is on the Node that the tests run on', () => {
    expect(file.arguments['BASE_IMAGE']).toMatch(new RegExp(`^node:${node.replace('v', '')}-`))
  })

  test('runs the daemon unless it is told something else, and asks whether it lives', () => {
    expect(last('CMD')?.words).toEqual(['holdfast', 'daemon'])
    expect(last('HEALTHCHECK')?.words).toEqual(['holdfast', 'health', '--live'])
    expect(Object.keys(bin)).toContain('holdfast')
  })

  test('calls what its context has', () => {
    const called = file.stages.flatMap(({ instructions }) =>
      instructions.filter(({ words }) => words[0]?.startsWith('/build/')).map(({ words }) => words[0] ?? ''),
    )
    expect(called.toSorted()).toEqual(['/build/seal', '/build/warm'])
    for (const path of called) expect(existsSync(join(app, 'image', path)), path).toBe(true)
  })
})

describe('the images of Benji', () => {
  test.for(['Dockerfile.benji', 'Dockerfile.benji-k8s'])(
    '%s has no problem, and runs as a user without rights',
    (name) => {
      const source = read(name)
      expect(lintDockerfile(source)).toEqual([])
      const last = parseDockerfile(source)
        .stages.at(-1)
        ?.instructions.findLast((each) => each.name === 'USER')
      expect(last?.text).toBe('1000:1000')
    },
  )

  test('Benji’s is interactive, and the other one runs the daemon on the crontab that is there', () => {
    const image = (name: string) => parseDockerfile(read(name)).stages.at(-1)?.instructions ?? []
    expect(image('Dockerfile.benji').findLast(({ name }) => name === 'CMD')?.words).toEqual(['/bin/bash'])
    const k8s = image('Dockerfile.benji-k8s')
    expect(k8s.findLast(({ name }) => name === 'CMD')?.words).toEqual(['holdfast', 'daemon'])
    expect(k8s.find(({ name }) => name === 'ENV')?.text).toContain('HOLDFAST_CONFIG=/benji/etc/crontab')
    expect(readFileSync(join(app, 'image/benji/rootfs/benji/etc/crontab'), 'utf8')).toBe('')
  })

  test('every package of Benji’s is of an exact version', () => {
    const lines = readFileSync(join(app, 'image/benji/requirements.txt'), 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
    expect(lines).toContain('benji==0.17.0')
    for (const line of lines) expect(line).toMatch(/^[A-Za-z0-9._-]+==[0-9][0-9.]*$/)
  })
})

test('all are built for both kinds of processors, with a list of what is inside', () => {
  const bake = read('docker-bake.hcl')
  expect([...bake.matchAll(/dockerfile = "(.*)"/g)].map(([, name]) => name)).toEqual([
    'Dockerfile',
    'Dockerfile.alpine',
    'Dockerfile.benji',
    'Dockerfile.benji-k8s',
  ])
  expect(bake).toContain('platforms = ["linux/amd64", "linux/arm64"]')
  expect(bake).toMatch(/attest = \[.*"type=sbom"/)
  const workflow = readFileSync(join(app, '../../.github/workflows/release.yml'), 'utf8')
  expect(workflow).toContain('docker buildx bake -f apps/sidecar/docker-bake.hcl --push')
})

test('the Debian image runs as a user without rights', () => {
  expect(
    parseDockerfile(read('Dockerfile'))
      .stages.at(-1)
      ?.instructions.findLast(({ name }) => name === 'USER')?.text,
  ).toBe('1000:1000')
})

test('the Alpine image runs as root, and says so first', () => {
  const { title, stages } = parseDockerfile(read('Dockerfile.alpine'))
  expect(title).toMatch(/^# Runs as root\./)
  expect(stages.at(-1)?.instructions.findLast(({ name }) => name === 'USER')?.text).toBe('0:0')
})

describe('the check of Dockerfiles', () => {
  const good = read('Dockerfile')

  test.for([
    ['ARG BASE_IMAGE=node:24.21.0-bookworm-slim', 'ARG BASE_IMAGE=node:latest', 'no exact version'],
    ['FROM ${BASE_IMAGE}\n', 'FROM debian:12\n', "another base can't be given"],
    ['USER 1000:1000\nEXPOSE', 'USER holdfast\nEXPOSE', 'runAsNonRoot needs numbers'],
    [/^HEALTHCHECK.*\n/m, '', 'HEALTHCHECK is missing'],
    [/^(HEALTHCHECK.*CMD).*\n/m, '$1 holdfast health\n', 'a shell would be in between'],
    [/^ENTRYPOINT.*\n/m, 'ENTRYPOINT ["holdfast"]\n', 'orphans are not reaped'],
    ['COPY rootfs /', 'ADD rootfs /', 'ADD fetches'],
    ['WORKDIR /app', 'VOLUME /var/lib/holdfast\nWORKDIR /app', 'forgets what is pending'],
    ['ARG VERSION=unknown', 'ARG NPM_TOKEN\nARG VERSION=unknown', 'the image keeps it'],
    ['rm -rf /var/lib/apt/lists/*', 'rm -rf', 'stay in the layer'],
    ['--no-install-recommends', '', '--no-install-recommends is missing'],
    ['RUN ["/build/warm"]', 'RUN npm ci', 'only the distribution'],
    ['--from=app', '--from=elsewhere', 'there is no such stage'],
    ['image.licenses=', 'image.license=', 'licenses is missing'],
  ] as const)('%s → %s', ([from, to, problem]) => {
    const bad = good.replace(from, to)
    expect(bad).not.toBe(good)
    expect(lintDockerfile(bad).join('\n')).toContain(problem)
  })
})

describe('apk in the Debian image', () => {
  const apk = join(app, 'image/debian/usr/local/bin/apk')

  function call(args: readonly string[]): {
    readonly status: number | null
    readonly stdout: string
    readonly said: string
  } {
    const result = spawnSync(apk, args, { encoding: 'utf8', env: { PATH: process.env['PATH'], HOLDFAST_APP: app } })
    return { status: result.status, stdout: result.stdout, said: result.stderr }
  }

  test.for([
    ['add --no-cache postgresql-client curl', 'apt-get update && apt-get install -y postgresql-client curl'],
    ['--update add -t .build -X http://mirror git', 'apt-get update && apt-get install -y git'],
    ['add bash=5.2.15-r0 jq>1.6 zip~=3 xz@edge', 'apt-get update && apt-get install -y bash jq zip xz'],
    ['add', 'apt-get update && apt-get install -y PACKAGE'],
    ['del curl', 'apt-get remove -y curl'],
    ['update', 'apt-get update'],
    ['upgrade', 'apt-get update && apt-get upgrade -y'],
    ['info', 'apt-get update && apt-get install -y PACKAGE'],
  ])('sidefridge F18: apk %s exits with 1 and says %s', ([words = '', instead]) => {
    const { status, stdout, said } = call(words.split(' '))
    expect(status).toBe(1)
    expect(stdout).toBe('')
    expect(said.split('\n').map((line) => line.trim())).toContain(instead)
  })

  test('it names the image that has apk, the settings that apt-get takes, and who it runs as', () => {
    const { said } = call(['add', 'curl'])
    expect(said).toContain(`${version}-alpine`)
    expect(said).toContain('runAsUser: 0')
    expect(said).toContain('readOnlyRootFilesystem: false')
    const user = process.getuid?.() ?? 0
    expect(said.includes(`it runs as user ${user}`)).toBe(user !== 0)
  })

  test('what it prints can be pasted into a shell, whatever it was called with', () => {
    const { said } = call(['add', 'good', '$(reboot)', 'a;b', '', "it's", '`x`'])
    expect(said).toContain('apt-get install -y good\n')
  })

  test('it says so when versions are left out, and only then', () => {
    expect(call(['add', 'jq=1.6-r1']).said).toContain('Versions differ')
    expect(call(['add', 'jq']).said).not.toContain('Versions differ')
  })
})

test('what Node compiled for one user is readable for all, and another one has it too', () => {
  const here = workspace()
  here.write('cache/v24.21.0-x64-abc-1000/entry', 'compiled', 0o600)
  const { status } = spawnSync(join(app, 'image/build/seal'), ['1000', '0', here.at('cache')])
  expect(status).toBe(0)
  const entry = here.at('cache/v24.21.0-x64-abc-0/entry')
  expect(readFileSync(entry, 'utf8')).toBe('compiled')
  expect(statSync(entry).mode & 0o777).toBe(0o644)
  const none = spawnSync(join(app, 'image/build/seal'), ['7', '0', here.at('cache')])
  expect(none.status).toBe(1)
})

test('openssl in the Debian image says how to get it', () => {
  const { status, stdout, stderr } = spawnSync(join(app, 'image/debian/usr/bin/openssl'), ['version'], {
    encoding: 'utf8',
  })
  expect([status, stdout]).toEqual([127, ''])
  expect(stderr).toContain('apt-get update && apt-get install -y --reinstall openssl')
})
