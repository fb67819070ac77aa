/**
 * What makes the page better where scripts run: it stays current, unless its reader stops that, selects text or looks at
 * something else. Only what is different is changed, so that focus, the place in a table and that of a screen reader stay
 * where they were; of what changed, a screen reader says the verdict and nothing else. It is sent as it stands here.
 */
export const script = `
(() => {
  const button = document.getElementById('refresh')
  const word = document.getElementById('refreshed')
  const said = document.getElementById('said')
  if (!button || !word || !said) return
  const every = 15000
  const kept = (value) => {
    try {
      if (value) sessionStorage.setItem('refresh', value)
      return sessionStorage.getItem('refresh')
    } catch {
      return value
    }
  }
  let on = kept() !== 'off'
  let busy = false
  const show = () => {
    button.textContent = on ? 'Stop refreshing' : 'Refresh by itself'
  }
  const keyOf = (node) => {
    if (node.nodeType !== 1) return ''
    const link = ['TR', 'LI', 'P'].includes(node.tagName) ? node.querySelector('a[href]') : null
    return node.id || node.getAttribute('aria-label') || node.getAttribute('aria-labelledby') || (link && link.getAttribute('href')) || ''
  }
  const isSame = (a, b) => a.nodeName === b.nodeName && keyOf(a) === keyOf(b)
  const change = (old, next) => {
    if (old.nodeType !== 1) {
      if (old.data !== next.data) old.data = next.data
      return
    }
    for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name)
    for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value)
    let at = old.firstChild
    for (const node of [...next.childNodes]) {
      let found = at
      // What has no name of its own is only known by its place.
      while (found && !isSame(found, node)) found = keyOf(node) ? found.nextSibling : null
      if (!found) old.insertBefore(document.importNode(node, true), at)
      else {
        while (at !== found) {
          const gone = at
          at = at.nextSibling
          gone.remove()
        }
        change(found, node)
        at = found.nextSibling
      }
    }
    while (at) {
      const gone = at
      at = at.nextSibling
      gone.remove()
    }
  }
  const verdict = (root) => {
    const found = root.querySelector('[data-said]')
    return found ? found.textContent.trim().replace(/\\s+/g, ' ') : ''
  }
  const refresh = async () => {
    const selection = getSelection()
    if (!on || busy || document.hidden || (selection && !selection.isCollapsed)) return
    busy = true
    try {
      const response = await fetch(location.href, { headers: { accept: 'text/html' }, signal: AbortSignal.timeout(every) })
      const next = new DOMParser().parseFromString(await response.text(), 'text/html')
      const fresh = next.querySelector('main')
      const main = document.querySelector('main')
      if (!fresh || !main) throw new Error(String(response.status))
      if (!on) return
      const before = verdict(main)
      change(main, fresh)
      document.title = next.title
      word.textContent = ''
      const now = verdict(main)
      if (now !== before) said.textContent = now
    } catch {
      if (!word.textContent) word.textContent = 'Holdfast has not answered since ' + new Date().toLocaleTimeString() + '.'
    } finally {
      busy = false
    }
  }
  button.hidden = false
  button.addEventListener('click', () => {
    on = !on
    kept(on ? 'on' : 'off')
    show()
    void refresh()
  })
  document.addEventListener('visibilitychange', () => void refresh())
  setInterval(() => void refresh(), every)
  show()
})()
`
