// The status page in a real browser. Where there is none, this says so: nothing else here sees what a browser sees.
// http-chromium.e2e.ts looks closer, and takes longer.
import { expect, test, vi } from 'vitest'
import { findChromium, openTab } from './support/chromium.ts'
import { enterRun } from './support/status.ts'
import { scene, serve } from './support/status-scene.ts'
import { walk } from './support/walk.ts'

const chromium = findChromium()
const missing = 'there is no Chromium on this machine: the status page was NOT looked at by a browser'

test('in Chromium: no complaint, nothing from elsewhere, every control by keyboard, no page wider than its window', async ({
  skip,
}) => {
  if (chromium === undefined) return skip(missing)
  const url = await serve(await scene())
  const tab = await openTab(chromium)
  await tab.look({ width: 500 })
  for (const path of ['/', '/runs/shop-13', '/targets']) {
    await tab.open(url + path)
    const overflow = await tab.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect([path, overflow]).toEqual([path, 0])
    const { all, reached, unseen } = await walk(tab)
    expect([path, reached, unseen]).toEqual([path, all, []])
    // The style applies: without it the policy would have been too strict for our own.
    expect(await tab.evaluate(`getComputedStyle(document.querySelector('.wide')).overflowX`)).toBe('auto')
  }
  // On the narrowest phone nothing of a card is cut off, and on a desk's half of a screen no time is why a table is.
  for (const [width, isMobile] of [
    [320, true],
    [1000, false],
  ] as const) {
    await tab.look({ width, isMobile })
    await tab.open(`${url}/`)
    const cut = await tab.evaluate(
      `[...document.querySelectorAll('.wide')].filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.ariaLabel)`,
    )
    expect([width, cut]).toEqual([width, []])
  }
  expect(tab.complaints()).toEqual([])
  expect(tab.requested().filter((each) => !each.startsWith(url) && !each.startsWith('data:'))).toEqual([])
})

test('in Chromium: the page refreshes, changes nothing but what is different, and stops when it is told to', async ({
  skip,
}) => {
  if (chromium === undefined) return skip(missing)
  const world = await scene()
  const url = await serve(world)
  const tab = await openTab(chromium)
  await tab.look({ width: 700 })
  await tab.open(`${url}/`)
  const look = `document.dispatchEvent(new Event('visibilitychange'))`
  const text = (): Promise<unknown> => tab.evaluate(`document.querySelector('main').textContent`)
  const said = (): Promise<unknown> => tab.evaluate(`document.getElementById('said').textContent`)
  // Focused, and scrolled to: both stay, though a run comes in above.
  await tab.evaluate(`(() => {
    window.focused = document.querySelector('tbody th a[href="/runs/invoices-13"]')
    focused.focus()
    window.scrolled = [...document.querySelectorAll('.wide')].find((each) => each.contains(focused))
    scrolled.scrollLeft = 90
    window.changes = 0
    new MutationObserver((all) => (changes += all.length)).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
  })()`)
  const asked = (): number => tab.requested().filter((each) => each === `${url}/`).length
  await tab.evaluate(look)
  await vi.waitFor(() => expect(asked()).toBe(2), { timeout: 10_000 })
  await tab.evaluate(`new Promise((resolve) => setTimeout(resolve, 50))`)
  // The same again is nothing to anybody.
  expect([await tab.evaluate('changes'), await said()]).toEqual([0, ''])
  enterRun(world, { id: 'later', plan: 'mail' })
  world.journal.settleUndo('7c1de0a4-1b7f-4f0e-9d55-0a7c41c1a001', 'done')
  await tab.evaluate(look)
  await vi.waitFor(async () => expect(await text()).toContain('later'), { timeout: 10_000 })
  expect(await tab.evaluate(`[document.activeElement === focused, scrolled.isConnected, scrolled.scrollLeft]`)).toEqual(
    [true, true, 90],
  )
  expect(await tab.evaluate(`document.querySelectorAll('.alarm').length`)).toBe(0)
  expect(await said()).toBe('The newest run of 1 of 5 plans did not make its backup.')
  expect(await tab.evaluate('document.title')).toBe('1 failed – Holdfast shop-production')
  await tab.evaluate(`document.getElementById('refresh').focus()`)
  await tab.press('Enter')
  const before = asked()
  expect(await tab.evaluate(`document.getElementById('refresh').textContent`)).toBe('Refresh by itself')
  await tab.evaluate(look)
  expect(asked()).toBe(before)
  // Told once is enough, also on the next page.
  await tab.open(`${url}/runs`)
  expect(await tab.evaluate(`document.getElementById('refresh').textContent`)).toBe('Refresh by itself')
  expect(tab.complaints()).toEqual([])
})
