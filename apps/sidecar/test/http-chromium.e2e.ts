// The status page in a real browser, looked at closely. Runs with the end-to-end tests, whose kit brings Chromium along.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { expect, test, vi } from 'vitest'
import { findChromium, openTab } from './support/chromium.ts'
import { tooFaint } from './support/contrast.ts'
import { armUndo, enterRun } from './support/status.ts'
import { history, manyRuns } from './support/status-history.ts'
import { scene, scenePaths, serve } from './support/status-scene.ts'
import { walk } from './support/walk.ts'

const found = findChromium()
if (found === undefined) throw new Error('there is no Chromium: e2e/kit/install.sh chromium')
const chromium = found

/** How people look at it. */
const views = [
  { width: 1100, isMobile: false },
  // The narrowest that has to do without scrolling sideways (WCAG 1.4.10).
  { width: 320, isMobile: true },
] as const

test('every page: no complaint, every control by keyboard, never wider than its window, contrast of WCAG AA in both schemes', async () => {
  const url = await serve(await scene())
  const tab = await openTab(chromium)
  for (const view of views) {
    const { width, isMobile } = view
    for (const path of scenePaths) {
      await tab.look(view)
      await tab.open(url + path)
      const overflow = await tab.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      expect([path, width, overflow]).toEqual([path, width, 0])
      for (const scheme of ['light', 'dark'] as const) {
        await tab.look({ ...view, scheme })
        const { counted, found: faint } = (await tab.evaluate(tooFaint)) as {
          counted: number
          found: readonly string[]
        }
        expect([scheme, width, path, faint]).toEqual([scheme, width, path, []])
        expect(counted).toBeGreaterThan(10)
      }
      // On a phone nobody has a keyboard, and what can be focused is the same.
      if (isMobile) continue
      const { all, reached, unseen } = await walk(tab)
      expect([path, reached, unseen]).toEqual([path, all, []])
    }
  }
  // It would find what can't be read.
  await tab.evaluate(`document.querySelector('main').style.color = getComputedStyle(document.body).backgroundColor`)
  expect(await tab.evaluate(tooFaint)).not.toMatchObject({ found: [] })
  // That there is no such run is said by the page, and by its status.
  expect(tab.complaints().filter((each) => !each.includes('/runs/nobody'))).toEqual([])
  expect(tab.requested().filter((each) => !each.startsWith(url) && !each.startsWith('data:'))).toEqual([])
})

test('a screen reader hears landmarks, headings, tables with their heads, and what every picture shows', async () => {
  const url = await serve(await scene())
  const tab = await openTab(chromium)
  // On a phone rows are cards, and a table all the same.
  for (const view of views) {
    const { width } = view
    await tab.look(view)
    for (const path of scenePaths) {
      await tab.open(url + path)
      const heard = await tab.heard()
      const of = (...roles: readonly string[]): readonly string[] =>
        heard.filter(({ role }) => roles.includes(role)).map(({ name }) => name)
      for (const landmark of ['banner', 'navigation', 'main', 'contentinfo'])
        expect([path, landmark, of(landmark).length]).toEqual([path, landmark, 1])
      expect(of('heading').length).toBeGreaterThan(0)
      for (const name of [...of('region'), ...of('table'), ...of('image', 'img'), ...of('link'), ...of('button')])
        expect([path, name.trim()]).not.toEqual([path, ''])
      const rows = await tab.evaluate(`document.querySelectorAll('tbody tr').length`)
      expect([path, width, of('rowheader').length]).toEqual([path, width, rows])
      const heads = await tab.evaluate(`document.querySelectorAll('thead th').length`)
      expect([path, width, of('columnheader').length]).toEqual([path, width, heads])
      // Two of the same name could not be told apart.
      expect(new Set(of('region')).size).toBe(of('region').length)
      const levels = (await tab.evaluate(
        `[...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) => Number(tagName[1]))`,
      )) as readonly number[]
      expect(levels.filter((level) => level === 1)).toHaveLength(1)
      expect(levels.every((level, index) => index === 0 || level <= (levels[index - 1] ?? 0) + 1)).toBe(true)
    }
  }
  await tab.look({ scripts: false })
  await tab.open(`${url}/runs/shop-13`)
  const pictures = (await tab.heard()).filter(({ role }) => /^ima?ge?$/.test(role))
  expect(pictures.map(({ name }) => name)).toContain('from 1.3 s to 32.3 s, 31.0 s of it while something stood still')
})

test('without scripts every page shows the same, and offers nothing that would need them', async () => {
  const url = await serve(await scene())
  const tab = await openTab(chromium)
  const shown = async (path: string, scripts: boolean): Promise<unknown> => {
    await tab.look({ scripts })
    await tab.open(url + path)
    return tab.evaluate(`document.querySelector('main').innerText`)
  }
  for (const path of scenePaths) {
    const whole = await shown(path, true)
    expect([path, await shown(path, false)]).toEqual([path, whole])
    expect(
      await tab.evaluate(`[...document.querySelectorAll('button')].every((each) => !each.checkVisibility())`),
    ).toBe(true)
  }
})

test('with 1,000 runs of 50 targets the first page is there within a second, and below 300 KB', async () => {
  const world = history(manyRuns)
  armUndo(world, 'u1', '20261123T120000Z-00000500')
  const url = await serve(world)
  const tab = await openTab(chromium)
  // Its store is read once, whoever looks.
  await world.ask('/')
  const took: number[] = []
  let bytes = 0
  for (let round = 0; round < 3; round++) {
    await tab.open(`${url}/`)
    const { ms, size } = (await tab.evaluate(`(async () => {
      while (!performance.getEntriesByName('first-contentful-paint')[0]) await new Promise((resolve) => setTimeout(resolve, 5))
      const [{ loadEventEnd, transferSize }] = performance.getEntriesByType('navigation')
      return { ms: Math.max(loadEventEnd, performance.getEntriesByName('first-contentful-paint')[0].startTime), size: transferSize }
    })()`)) as { readonly ms: number; readonly size: number }
    took.push(ms)
    bytes = size
  }
  expect(bytes).toBeLessThan(300_000)
  expect(bytes).toBeGreaterThan(50_000)
  expect(Math.min(...took)).toBeLessThan(1000)
  expect(await tab.evaluate(`[...document.querySelectorAll('.more a')].length`)).toBeGreaterThanOrEqual(3)
  expect(tab.complaints()).toEqual([])
})

test('nothing from elsewhere is asked for, and no table is cut off where it need not be', async () => {
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

test('the page refreshes, changes nothing but what is different, and stops when it is told to', async () => {
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

/** Pictures of the documentation: written by `HOLDFAST_PICTURES=docs/images npx vitest run --config e2e/vitest.config.ts http-chromium`. */
const pictures = [
  ['status-page-light', '/', { scheme: 'light', width: 1100, height: 1180 }],
  ['status-page-dark', '/runs/shop-13', { scheme: 'dark', width: 1100, height: 860 }],
  ['status-page-targets', '/targets', { scheme: 'dark', width: 1100, height: 620 }],
  ['status-page-phone', '/', { scheme: 'dark', width: 390, height: 844, isMobile: true }],
] as const

test('the pictures of the documentation can be taken', async () => {
  const url = await serve(await scene())
  const tab = await openTab(chromium)
  for (const [name, path, view] of pictures) {
    await tab.look(view)
    await tab.open(url + path)
    const picture = await tab.picture()
    expect(picture.subarray(1, 4).toString()).toBe('PNG')
    const directory = env['HOLDFAST_PICTURES']
    if (directory !== undefined) writeFileSync(join(directory, `${name}.png`), picture)
  }
})
