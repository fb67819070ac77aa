import type { Tab } from './chromium.ts'

const controls = `[...document.querySelectorAll('a[href], button, [tabindex="0"]')].filter((each) => !each.hidden)`

/** Every control that a person without a mouse gets to, each with whether its focus can be seen. */
export async function walk(
  tab: Tab,
): Promise<{ readonly reached: unknown; readonly all: unknown; readonly unseen: unknown }> {
  const all = await tab.evaluate(`(() => {
    window.reached = new Set()
    window.unseen = []
    document.addEventListener('focusin', ({ target }) => {
      reached.add(target)
      if (getComputedStyle(target).outlineStyle === 'none') unseen.push(target.outerHTML)
    })
    return ${controls}.length
  })()`)
  for (let step = 0; step < Number(all) + 2; step++) await tab.press('Tab')
  return { all, reached: await tab.evaluate('reached.size'), unseen: await tab.evaluate('unseen') }
}
