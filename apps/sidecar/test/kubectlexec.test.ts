// `kubectlexec` as a process of its own, against a server that executes real commands. No kubectl is on its PATH.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startFakeKubernetes, type FakeKubernetes } from '@holdfast/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

let server: FakeKubernetes
let directory = ''

beforeAll(async () => {
  server = await startFakeKubernetes({ namespace: 'shop' })
  directory = mkdtempSync(join(tmpdir(), 'holdfast-kubectlexec-'))
  server.addPod({ name: 'web-0', containers: [{ name: 'app' }, { name: 'bare', shell: false }, { name: 'sidecar' }] })
  server.addPod({ name: 'done', phase: 'Succeeded', containers: [{ name: 'app', state: 'terminated' }] })
})
beforeEach(() => writeFileSync(join(directory, 'kubeconfig'), server.kubeconfig()))
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

interface Options {
  readonly input?: Uint8Array | 'none' | 'open'
  readonly env?: NodeJS.ProcessEnv
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void
}

function kubectlexec(args: readonly string[], { input = 'none', env, onStart }: Options = {}): Promise<Ended> {
  // The bundle, as it is installed: what counts here is whole processes, many of them.
  const command = join(import.meta.dirname, '../bin/kubectlexec')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...args], {
      cwd: directory,
      env: {
        // Neither kubectl nor a shell of ours: only Node.
        PATH: dirname(process.execPath),
        KUBECONFIG: join(directory, 'kubeconfig'),
        TARGET_CONTAINER: 'app',
        POD_NAME: 'web-0',
        ...env,
      },
      stdio: [input === 'none' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdin?.on('error', () => {})
    child.once('error', reject)
    child.once('close', (code) =>
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    )
    if (typeof input !== 'string') child.stdin?.end(input)
    onStart?.((signal) => child.kill(signal))
  })
}

describe('as sidefridge’s', () => {
  test('words are joined and run by the container’s sh, and not by one of ours', async () => {
    const { code, stdout } = await kubectlexec(['X=there;', 'echo', '"a   b"', '$X', '|', 'tr', 'a-z', 'A-Z'], {
      env: { X: 'here' },
    })
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: 'A   B THERE\n' })
    expect(server.execs.at(-1)?.argv.slice(-3)).toEqual(['/bin/sh', '-c', 'X=there; echo "a   b" $X | tr a-z A-Z'])
  })

  test.each([
    [{ TARGET_CONTAINER: undefined }, ['ls'], 'TARGET_CONTAINER'],
    [{ POD_NAME: undefined }, ['ls'], 'POD_NAME'],
    [{ TARGET_CONTAINER: undefined, POD_NAME: undefined }, [], 'TARGET_CONTAINER'],
    [{}, [], 'no command'],
    [{}, ['--'], 'no command'],
  ])('sidefridge F27: what is missing is said, in one line, and exits with 1 (%j %j)', async (env, args, said) => {
    const { code, stderr } = await kubectlexec(args, { env })
    expect(code).toBe(1)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(stderr).toContain(said)
  })
})

describe('and not as sidefridge’s', () => {
  test.each([7, 126, 127, 137, 255])('sidefridge F3, fault F31: exit code %i passes through', async (exitCode) => {
    expect((await kubectlexec([`exit ${exitCode}`])).code).toBe(exitCode)
  })

  test('sidefridge F4: output and errors are apart, byte by byte, without a terminal', async () => {
    const { code, stdout, stderr } = await kubectlexec([
      'test -t 1 && exit 9; printf "\\000\\377\\r\\n"; echo oops >&2',
    ])
    expect(code).toBe(0)
    expect(stdout).toEqual(Buffer.from([0, 0xff, 13, 10]))
    expect(stderr).toBe('oops\n')
  })

  test('a megabyte of noise goes in by a pipe, and comes back', async () => {
    const noise = randomBytes(1_000_003)
    const { code, stdout } = await kubectlexec(['cat'], { input: noise })
    expect(code).toBe(0)
    expect(stdout.equals(noise)).toBe(true)
  })

  test('a command that does not read its input ends all the same, while the pipe stays open', async () => {
    expect((await kubectlexec(['exit 3'], { input: 'open' })).code).toBe(3)
  })

  test('sidefridge F2: after -- every argument arrives as it is, and no shell is needed', async () => {
    const words = ['', 'a b', '$HOME', "it's", '"', '\\', 'new\nline', '-n', '--', 'ünïcödé', '*']
    const print = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))'
    const { code, stdout } = await kubectlexec(['--', process.execPath, '-e', print, '--', ...words], {
      env: { TARGET_CONTAINER: 'bare' },
    })
    expect(code).toBe(0)
    expect(JSON.parse(stdout.toString())).toEqual(words)
  })

  test('sidefridge F1: names are data', async () => {
    const { code, stderr } = await kubectlexec(['ls'], {
      env: { POD_NAME: '"; rm -rf / #', TARGET_CONTAINER: '$(id)' },
    })
    expect(code).toBe(125)
    expect(stderr).toContain('rm -rf')
  })

  test.each([
    ['a pod that is not there', { POD_NAME: 'nobody' }, 'nobody'],
    ['a container that is not there', { TARGET_CONTAINER: 'nothing' }, 'nothing'],
    ['a pod that has ended', { POD_NAME: 'done' }, 'done'],
    ['no cluster', { KUBECONFIG: undefined }, 'no access to a cluster'],
  ])('what it is to blame for itself exits with 125 and says what to do: %s', async (_, env, said) => {
    const { code, stderr } = await kubectlexec(['ls'], { env })
    expect(code).toBe(125)
    expect(stderr).toContain(said)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(stderr.trimEnd().split('\n').length).toBeGreaterThanOrEqual(2)
  })

  test('fault F22: a connection that is lost is no success', async () => {
    server.misbehaveExec({ times: 1 }, 'reset')
    const { code, stderr } = await kubectlexec(['echo half'])
    expect(code).toBe(125)
    expect(stderr).toContain('kubectlexec: ')
  })

  test('fault F1: told to stop, it stops the command in the container', async () => {
    const before = server.execs.length
    const ended = kubectlexec(['echo begun; sleep 300'], {
      onStart: (kill) => {
        const look = setInterval(() => {
          if (!server.execs.slice(before).some(({ running, sent }) => running && sent > 0)) return
          clearInterval(look)
          kill('SIGTERM')
        }, 20)
      },
    })
    expect((await ended).code).toBe(143)
    const still = server.execs
      .slice(before)
      .filter(({ argv, running }) => running && argv.join(' ').includes('sleep 300'))
    expect(still).toEqual([])
  })
})

test('--help says what it does, and asks nobody', async () => {
  const { code, stdout } = await kubectlexec(['--help'], { env: { KUBECONFIG: undefined, POD_NAME: undefined } })
  expect(code).toBe(0)
  expect(stdout.toString()).toContain('TARGET_CONTAINER')
  expect(stdout.toString()).toContain('exit codes')
})

test.each(['/bin/sh', '/bin/bash'])(
  'it is a program by itself, by a link and with odd words, where sh is %s',
  (shell) => {
    const link = join(directory, `link of ${shell.slice(5)}`)
    symlinkSync(join(import.meta.dirname, '../bin/kubectlexec'), link)
    const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` }
    const words = ['--', "it's", '$HOME', '']
    const { status, stderr } = spawnSync(shell, [link, ...words], { env, cwd: directory })
    expect({ status, stderr: stderr.toString() }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('TARGET'),
    })
    const { stdout } = spawnSync(link, ['--help'], { env, cwd: directory })
    expect(stdout.toString()).toContain('TARGET_CONTAINER')
  },
)
