// The status page in a real browser. Where there is none, this says so: nothing else here sees what a browser sees.
import type { AddressInfo } from 'node:net'
import { testClock } from '@holdfast/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import { closeServer, createPageServer } from '../src/http/server.ts'
import { findChromium, openTab, type Tab } from './support/chromium.ts'
import { armUndo, artifact, enterRun, statusWorld, type StatusWorld } from './support/status.ts'

const chromium = findChromium()
const missing = 'there is no Chromium on this machine: the status page was NOT looked at by a browser'

/** A page with something everywhere, at an address. */
async function served(): Promise<{ readonly world: StatusWorld; readonly url: string }> {
  const world = statusWorld({
    plans: ['shop', 'mail'],
    async *list() {
      yield artifact({ run: 'r1', target: 'orders', size: 2048 })
      yield artifact({ run: 'r0', target: 'orders', size: 1024 })
    },
  })
  enterRun(world, { id: 'r1', status: 'failed', message: 'pg_dump ended with 1' })
  world.journal.hookEnded(world.journal.hookStarted('r1', 'backups', 'database', 'orders', 1), 1500)
  armUndo(world, 'u1', 'r1')
  const server = createPageServer((request) => world.ask(request.url, request), testClock())
  onTestFinished(() => closeServer(server))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return { world, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const controls = `[...document.querySelectorAll('a[href], button, [tabindex="0"]')].filter((each) => !each.hidden)`

/** Every control that a person without a mouse gets to, each with whether its focus can be seen. */
async function walk(tab: Tab): Promise<{ readonly reached: unknown; readonly all: unknown; readonly unseen: unknown }> {
  const all = await tab.evaluate(`${controls}.length`)
  await tab.evaluate('window.reached = new Set(); window.unseen = []; 0')
  for (let step = 0; step < Number(all) + 2; step++) {
    await tab.press('Tab')
    await tab.evaluate(`(() => {
      const at = document.activeElement
      if (!at || at === document.body) return
      reached.add(at)
      if (getComputedStyle(at).outlineStyle === 'none') unseen.push(at.outerHTML)
    })()`)
  }
  return { all, reached: await tab.evaluate('reached.size'), unseen: await tab.evaluate('unseen') }
}

test('in Chromium: no complaint, nothing from elsewhere, every control by keyboard, no page wider than its window', async ({
  skip,
}) => {
  if (chromium === undefined) return skip(missing)
  const { url } = await served()
  const tab = await openTab(chromium, ['--window-size=500,900'])
  for (const path of ['/', '/plans?plan=shop', '/runs', '/runs/r1', '/targets', '/restore-points']) {
    await tab.open(url + path)
    const { all, reached, unseen } = await walk(tab)
    expect([path, reached, unseen]).toEqual([path, all, []])
    const overflow = await tab.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect([path, overflow]).toEqual([path, 0])
    // The style applies: without it the policy would have been too strict for our own.
    expect(await tab.evaluate(`getComputedStyle(document.querySelector('.wide')).overflowX`)).toBe('auto')
  }
  expect(tab.complaints()).toEqual([])
  expect(tab.requested().filter((each) => !each.startsWith(url) && !each.startsWith('data:'))).toEqual([])
})

test('in Chromium: the page refreshes, keeps the focus where it was, and stops when it is told to', async ({
  skip,
}) => {
  if (chromium === undefined) return skip(missing)
  const { world, url } = await served()
  const tab = await openTab(chromium)
  await tab.open(`${url}/`)
  const look = `document.dispatchEvent(new Event('visibilitychange'))`
  const text = (): Promise<unknown> => tab.evaluate(`document.querySelector('main').textContent`)
  await tab.evaluate(`document.querySelector('a[href="/plans?plan=mail"]').focus()`)
  enterRun(world, { id: 'later', plan: 'mail' })
  await tab.evaluate(look)
  await vi.waitFor(async () => expect(await text()).toContain('later'), { timeout: 10_000 })
  expect(await tab.evaluate(`document.activeElement.getAttribute('href')`)).toBe('/plans?plan=mail')
  await tab.evaluate(`document.getElementById('refresh').focus()`)
  await tab.press('Enter')
  const asked = tab.requested().length
  expect(await tab.evaluate(`document.getElementById('refresh').textContent`)).toBe('Refresh by itself')
  await tab.evaluate(look)
  expect(tab.requested()).toHaveLength(asked)
  expect(tab.complaints()).toEqual([])
})
