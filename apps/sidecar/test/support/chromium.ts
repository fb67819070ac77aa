import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { onTestFinished, vi } from 'vitest'

/** A tab of a real browser. */
export interface Tab {
  /** Goes there, and waits until it is loaded. */
  open(url: string): Promise<void>
  /** What an expression is, in the page. */
  evaluate(expression: string): Promise<unknown>
  press(key: 'Tab' | 'Enter'): Promise<void>
  /** What the page, and the browser because of it, had to complain about. */
  complaints(): readonly string[]
  /** Everything that was asked for. */
  requested(): readonly string[]
}

/** Where Chromium is; `undefined`: nowhere. */
export function findChromium(): string | undefined {
  const places = (process.env['PATH'] ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  return places.flatMap((place) => names.map((name) => join(place, name))).find(isProgram)
}

/** Starts one for a test, and talks to it as its developer tools do. */
export async function openTab(program: string, args: readonly string[] = []): Promise<Tab> {
  const profile = mkdtempSync(join(tmpdir(), 'holdfast-chromium-'))
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
  ]
  const child = spawn(program, [...flags, ...args, 'about:blank'], { stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  })
  const patience = { timeout: 30_000, interval: 50 }
  const [port] = await vi.waitFor(() => readFileSync(join(profile, 'DevToolsActivePort'), 'utf8').split('\n'), patience)
  const address = await vi.waitFor(async () => {
    const tabs = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as readonly TabInfo[]
    const found = tabs.find(({ type }) => type === 'page')
    if (!found) throw new Error('there is no tab yet')
    return found.webSocketDebuggerUrl
  }, patience)
  const { send, events } = await talkTo(address)
  for (const domain of ['Runtime', 'Log', 'Page', 'Network']) await send(`${domain}.enable`)
  const of = (...methods: readonly string[]): readonly Event[] =>
    events.filter(({ method }) => methods.includes(method))
  return {
    async open(url) {
      const before = of('Page.loadEventFired').length
      await send('Page.navigate', { url })
      await vi.waitFor(() => {
        if (of('Page.loadEventFired').length === before) throw new Error(`${url} is not loaded`)
      }, patience)
    },
    async evaluate(expression) {
      const answer = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
      const { result, exceptionDetails } = answer as { result: { value?: unknown }; exceptionDetails?: object }
      if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`)
      return result.value
    },
    async press(key) {
      const codes = { Tab: 9, Enter: 13 }
      for (const type of ['keyDown', 'keyUp']) {
        const text = key === 'Enter' && type === 'keyDown' ? { text: '\r' } : {}
        await send('Input.dispatchKeyEvent', { type, key, code: key, windowsVirtualKeyCode: codes[key], ...text })
      }
    },
    complaints: () =>
      of('Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded').map(({ params }) =>
        JSON.stringify(params),
      ),
    requested: () =>
      of('Network.requestWillBeSent').map(({ params }) => (params as { request: { url: string } }).request.url),
  }
}

interface TabInfo {
  readonly type: string
  readonly webSocketDebuggerUrl: string
}

interface Event {
  readonly method: string
  readonly params: unknown
}

async function talkTo(address: string): Promise<{
  send(method: string, params?: object): Promise<unknown>
  readonly events: readonly Event[]
}> {
  const socket = new WebSocket(address)
  const events: Event[] = []
  const waiting = new Map<number, (answer: unknown) => void>()
  let last = 0
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error(`${address} doesn't answer`)))
  })
  onTestFinished(() => socket.close())
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as { readonly id?: number; readonly result?: unknown } & Event
    if (message.id === undefined) events.push(message)
    else waiting.get(message.id)?.(message.result)
  })
  return {
    events,
    send: (method, params = {}) =>
      new Promise((resolve) => {
        last += 1
        waiting.set(last, resolve)
        socket.send(JSON.stringify({ id: last, method, params }))
      }),
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
