import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { readSettings } from '../src/settings.ts'
import { socketFile } from '../src/http/socket.ts'
import { startDaemon, type RunningDaemon } from './support/daemon.ts'
import { ask, freePort, type HttpAnswer } from './support/http.ts'
import { shop, workspace, type Workspace } from './support/workspace.ts'

/** What answers a probe. */
const health = createRequire(import.meta.url)('../bin/health.js') as {
  parse(words: readonly string[], env: NodeJS.ProcessEnv): { question: string; stateDirectory: string } | undefined
  ask(options: object, done: (answer: { code: number; line: string }) => void): void
}

interface Daemon extends RunningDaemon {
  ready(): Promise<HttpAnswer>
}

/** Starts a daemon that can be asked at its socket. */
function daemon(here: Workspace, env: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Daemon {
  const running = startDaemon(here, { env, args })
  return { ...running, ready: () => ask({ socketPath: socketFile(here.state) }, '/readyz') }
}

/** What a probe runs, without the bundle: the commands as they are installed, and nothing else. */
async function probe(here: Workspace, args: readonly string[] = []): Promise<{ code: number | null; output: string }> {
  cpSync(join(import.meta.dirname, '../bin'), here.at('app/bin'), { recursive: true })
  cpSync(join(import.meta.dirname, '../package.json'), here.at('app/package.json'))
  const env = { HOLDFAST_STATE_DIR: here.state }
  const child = spawn(process.execPath, [here.at('app/bin/holdfast.js'), 'health', ...args], { env })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve) => void child.on('close', (code) => resolve({ code, output })))
}

const wait = (here: Workspace): string =>
  `touch ${here.at('here')}; while [ ! -e ${here.at('go')} ]; do sleep 0.02; done`
const isThere = (here: Workspace, file: string): Promise<void> =>
  vi.waitFor(() => expect(existsSync(here.at(file))).toBe(true), { timeout: 10_000, interval: 5 })

test('a daemon says what it waits for from its first moment to its last', async () => {
  const here = shop()
  here.script('install_dependencies/10', wait(here))
  here.script('backups/10', `touch ${here.at('backing-up')}; sleep 100`)
  here.script('on_error/10', `touch ${here.at('stopping')}; while [ ! -e ${here.at('end')} ]; do sleep 0.02; done`)
  const running = daemon(here)
  await isThere(here, 'here')
  expect(await running.ready()).toMatchObject({
    status: 503,
    body: expect.stringContaining('DAEMON_STARTING: the daemon is starting') as string,
  })
  writeFileSync(here.at('go'), '')
  await running.logged('"msg":"ready"')
  expect((await running.ready()).status).toBe(200)
  await running.clock.advance('31s')
  await isThere(here, 'backing-up')
  expect((await running.ready()).status).toBe(200)
  running.signal('SIGTERM')
  await isThere(here, 'stopping')
  expect((await running.ready()).body).toContain('DAEMON_STOPPING')
  writeFileSync(here.at('end'), '')
  await running.result
  expect(existsSync(socketFile(here.state))).toBe(false)
})

test('holdfast health: a probe of the own process, without the bundle', async () => {
  const here = shop()
  here.write('scripts/backups/10-dump', 'no shebang\n', 0o755)
  expect(await probe(here)).toEqual({ code: 1, output: `no daemon runs with the state directory ${here.state}\n` })
  const running = daemon(here)
  await running.logged('scheduling')
  expect(await probe(here, ['--live'])).toEqual({ code: 0, output: 'alive\n' })
  const refused = await probe(here, ['--ready'])
  expect(refused.code).toBe(1)
  expect(refused.output).toMatch(/^not ready: SCRIPT_NO_SHEBANG: .*10-dump.*\n$/)
  here.script('backups/10-dump', 'true')
  await running.clock.advance('61s')
  await running.logged('"msg":"ready"')
  expect(await probe(here)).toEqual({ code: 0, output: 'ready\n' })
  running.signal('SIGTERM')
  await running.result
  expect((await probe(here, ['--live'])).code).toBe(1)
})

test('holdfast health as any other command', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  expect(await here.run(['health'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no daemon runs') as string,
  })
  const running = daemon(here)
  await running.logged('"msg":"ready"')
  expect(await here.run(['health', '--live'])).toMatchObject({ code: 0, stdout: 'alive\n' })
  const { code, stdout } = await here.run(['health', '--json'])
  expect([code, JSON.parse(stdout)]).toEqual([0, { ready: true, message: 'ready', reasons: [] }])
  expect((await here.run(['health', '--live', '--ready'])).code).toBe(2)
})

test('holdfast health asks of the same state directory as all other commands', async () => {
  const { parse } = health
  const stderr = { isTTY: false, columns: undefined, write: () => undefined }
  const environments: NodeJS.ProcessEnv[] = [
    {},
    { HOME: '/home/app' },
    { HOME: '/home/app', XDG_STATE_HOME: '/state' },
    { HOLDFAST_STATE_DIR: '/data', XDG_STATE_HOME: '/state' },
    { HOLDFAST_STATE_DIR: '' },
  ]
  for (const env of environments) {
    expect(parse([], env)?.stateDirectory).toBe(readSettings({}, { env, cwd: '/', stderr }).stateDirectory)
  }
  expect(parse(['--live', '--state-dir', '/a'], {})).toEqual({ question: 'live', stateDirectory: '/a' })
  expect(parse(['--ready', '--state-dir=/b'], {})).toEqual({ question: 'ready', stateDirectory: '/b' })
  for (const words of [['--help'], ['--json'], ['--live', '--ready'], ['--state-dir'], ['more']]) {
    expect(parse(words, {}), words.join(' ')).toBeUndefined()
  }
})

test('a daemon whose event loop stands still is not alive', async () => {
  const here = workspace()
  mkdirSync(here.state)
  // It takes connections, and never says a word.
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(socketFile(here.state), resolve))
  onTestFinished(() => void server.close())
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const answer = new Promise<{ code: number; line: string }>((resolve) =>
    health.ask({ question: 'live', stateDirectory: here.state }, resolve),
  )
  vi.advanceTimersByTime(5001)
  expect(await answer).toMatchObject({ code: 1, line: `the daemon of ${here.state} does not answer within 5 s` })
})

test('--listen wins over HOLDFAST_LISTEN, and that over the configuration, which may change', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const [configured, changed, variable, option] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const yaml = readFileSync(here.at('holdfast.yaml'), 'utf8')
  here.write('holdfast.yaml', `${yaml}metrics: { listen: '127.0.0.1:${configured}' }\n`)
  const answers = (port: number): Promise<void> =>
    vi.waitFor(async () => expect((await ask({ port }, '/healthz')).status).toBe(200), { timeout: 10_000 })

  const first = daemon(here, { HOLDFAST_LISTEN: '' })
  await first.logged('"msg":"ready"')
  await answers(configured)
  here.write('holdfast.yaml', `${yaml}metrics: { listen: '127.0.0.1:${changed}' }\n`)
  first.signal('SIGHUP')
  await answers(changed)
  await expect(ask({ port: configured }, '/healthz')).rejects.toThrow('ECONNREFUSED')
  first.signal('SIGTERM')
  await first.result

  const second = daemon(here, { HOLDFAST_LISTEN: `127.0.0.1:${variable}` })
  await answers(variable)
  second.signal('SIGTERM')
  await second.result
  daemon(here, { HOLDFAST_LISTEN: `127.0.0.1:${variable}` }, ['--listen', `127.0.0.1:${option}`])
  await answers(option)
})

test('an address that is none is refused, wherever it stands', async () => {
  const here = shop()
  const bad = await here.run(['daemon', '--listen', '::1:9480'])
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('--listen can\'t be "::1:9480"')])
  const yaml = readFileSync(here.at('holdfast.yaml'), 'utf8')
  here.write('holdfast.yaml', `${yaml}metrics: { listen: 'nowhere' }\n`)
  const { code, stdout } = await here.run(['validate', '--json'])
  expect(code).toBe(78)
  expect(stdout).toContain('metrics.listen must be a port, or host:port such as 127.0.0.1:9480')
})

test('a port that belongs to another process never costs a backup; the own process is asked at its socket', async () => {
  const here = shop()
  here.script('backups/10', `printf x | save_artifact orders`)
  const port = await freePort()
  const other = createServer((socket) => void socket.destroy())
  await new Promise<void>((resolve) => void other.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => void other.close())
  const running = daemon(here, { HOLDFAST_LISTEN: `127.0.0.1:${port}` })
  await running.logged('HTTP_PORT')
  await running.logged('"msg":"ready"')
  await running.clock.advance('31s')
  await running.logged('"msg":"plan \\"shop\\" succeeded')
  const { body } = await ask({ socketPath: socketFile(here.state) }, '/metrics')
  expect(body).toContain('\nholdfast_http_listening 0\n')
  expect((await here.run(['health'])).code).toBe(0)
  expect(running.stderr().match(/HTTP_PORT/g)).toHaveLength(1)
})

test('a daemon that waits for the end of another says so on its own port; the socket is the other one’s', async () => {
  const here = shop()
  here.script('backups/10', 'true')
  const first = daemon(here)
  await first.logged('"msg":"ready"')
  const port = await freePort()
  const second = daemon(here, { HOLDFAST_LISTEN: `127.0.0.1:${port}` })
  await second.logged('DAEMON_WAITING')
  const waiting = await ask({ port }, '/readyz')
  expect([waiting.status, waiting.body]).toEqual([503, expect.stringContaining('DAEMON_WAITING: another daemon uses')])
  expect((await ask({ port }, '/healthz')).status).toBe(200)
  expect((await first.ready()).status).toBe(200)
  first.signal('SIGTERM')
  await first.result
  await second.clock.advance('2s')
  await second.logged('"msg":"ready"')
  expect((await second.ready()).status).toBe(200)
})
