import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { onTestFinished, vi } from 'vitest'

/** How a page is looked at. */
export interface View {
  readonly scheme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
  /** Such as a phone. */
  readonly isMobile?: boolean
  /** Default: true. */
  readonly scripts?: boolean
}

/** A node of what a screen reader is told. */
export interface AxNode {
  readonly role: string
  readonly name: string
}

/** A tab of a real browser. */
export interface Tab {
  /** Scripts from the next page on, all else at once. */
  look(view: View): Promise<void>
  /** What is seen, as a PNG. */
  picture(): Promise<Buffer>
  /** What a screen reader is told, in its order. */
  heard(): Promise<readonly AxNode[]>
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
    '--hide-scrollbars',
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
  const port = await vi.waitFor(() => {
    const [line = ''] = readFileSync(join(profile, 'DevToolsActivePort'), 'utf8').split('\n')
    // It is there before anything is in it.
    if (!/^\d+$/.test(line)) throw new Error('its port is not known yet')
    return line
  }, patience)
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
      await vi.waitFor(
        () => {
          if (of('Page.loadEventFired').length === before) throw new Error(`${url} is not loaded`)
        },
        { ...patience, interval: 2 },
      )
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
    async look({ scheme = 'light', width = 1100, height = 800, isMobile = false, scripts = true }) {
      await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: isMobile })
      // A scheme that changes is seen at once.
      await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
      await send('Emulation.setScriptExecutionDisabled', { value: !scripts })
    },
    async picture() {
      const { data } = (await send('Page.captureScreenshot', { format: 'png' })) as { readonly data: string }
      return Buffer.from(data, 'base64')
    },
    async heard() {
      const { nodes } = (await send('Accessibility.getFullAXTree')) as { readonly nodes: readonly RawAxNode[] }
      return nodes.flatMap(({ ignored, role, name }) =>
        ignored ? [] : [{ role: String(role?.value ?? ''), name: String(name?.value ?? '') }],
      )
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

interface RawAxNode {
  readonly ignored: boolean
  readonly role?: { readonly value?: unknown }
  readonly name?: { readonly value?: unknown }
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
