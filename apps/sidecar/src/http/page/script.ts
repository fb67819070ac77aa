/**
 * What makes the page better where scripts run: it stays current, unless its reader stops that, selects text or looks at
 * something else. Focus stays where it was. It is sent as it stands here.
 */
export const script = `
(() => {
  const button = document.getElementById('refresh')
  const word = document.getElementById('refreshed')
  if (!button || !word) return
  const every = 15000
  let on = true
  let busy = false
  const show = () => {
    button.textContent = on ? 'Stop refreshing' : 'Refresh by itself'
  }
  const keyOf = (element) => element && element !== document.body && (element.id ? '#' + element.id : element.getAttribute('href') || element.getAttribute('aria-label'))
  const refresh = async () => {
    const selection = getSelection()
    if (!on || busy || document.hidden || (selection && !selection.isCollapsed)) return
    busy = true
    try {
      const response = await fetch(location.href, { headers: { accept: 'text/html' }, signal: AbortSignal.timeout(every) })
      if (!response.ok) throw new Error(String(response.status))
      const next = new DOMParser().parseFromString(await response.text(), 'text/html')
      const fresh = next.querySelector('main')
      const main = document.querySelector('main')
      if (!fresh || !main || !on) return
      const key = main.contains(document.activeElement) ? keyOf(document.activeElement) : undefined
      main.replaceWith(document.adoptNode(fresh))
      document.title = next.title
      word.textContent = ''
      if (!key) return
      const same = [...fresh.querySelectorAll('a, [tabindex], button')].find((each) => keyOf(each) === key)
      if (same) same.focus({ preventScroll: true })
    } catch {
      if (!word.textContent) word.textContent = 'Holdfast has not answered since ' + new Date().toLocaleTimeString() + '.'
    } finally {
      busy = false
    }
  }
  button.hidden = false
  button.addEventListener('click', () => {
    on = !on
    show()
    void refresh()
  })
  document.addEventListener('visibilitychange', () => void refresh())
  setInterval(() => void refresh(), every)
  show()
})()
`
