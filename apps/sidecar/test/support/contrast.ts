/**
 * An expression that computes, in a page, the contrast of every text that is seen and of every control and picture, and
 * lists those that WCAG AA doesn't allow: below 4.5 for text, 3 for large text and for what isn't text. Colours are those that
 * the browser has worked out; grounds are blended until one is opaque.
 */
export const tooFaint = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const rgba = (text) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = text
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
    return [r, g, b, a / 255]
  }
  const over = ([r, g, b, a], below) => [r, g, b].map((part, index) => part * a + below[index] * (1 - a))
  const groundOf = (element) => {
    const layers = []
    let opaque = rgba(getComputedStyle(document.documentElement).colorScheme.includes('dark') && matchMedia('(prefers-color-scheme:dark)').matches ? '#121212' : '#fff')
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor)
      if (colour[3] === 1) {
        opaque = colour
        break
      }
      if (colour[3] > 0) layers.unshift(colour)
    }
    return layers.reduce((below, layer) => over(layer, below), opaque.slice(0, 3))
  }
  const light = (parts) => {
    const [r, g, b] = parts.map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ratio = (a, b) => {
    const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y)
    return (bright + 0.05) / (dark + 0.05)
  }
  const found = []
  let counted = 0
  const expectAtLeast = (least, colour, element, what) => {
    counted++
    const ground = groundOf(element)
    const is = ratio(over(rgba(colour), ground), ground)
    if (is < least) found.push(what + ': ' + is.toFixed(2) + ' of ' + least)
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { data, parentElement: element } = walker.currentNode
    if (!data.trim() || element.closest('script, style, .unseen')) continue
    const style = getComputedStyle(element)
    if (style.visibility === 'hidden' || !element.checkVisibility()) continue
    const size = parseFloat(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    expectAtLeast(isLarge ? 3 : 4.5, style.color, element, data.trim().slice(0, 40))
    for (const side of ['::before', '::after']) {
      const { content, color } = getComputedStyle(element, side)
      if (content !== 'none' && content !== 'normal') expectAtLeast(4.5, color, element, side + ' of ' + data.trim().slice(0, 30))
    }
  }
  for (const element of document.querySelectorAll('td')) {
    const { content, color } = getComputedStyle(element, '::before')
    if (content !== 'none' && content !== 'normal') expectAtLeast(4.5, color, element, 'label ' + content)
  }
  for (const element of document.querySelectorAll('button')) expectAtLeast(3, getComputedStyle(element).borderColor, element.parentElement, 'border of a button')
  for (const shape of document.querySelectorAll('svg rect:not(.track, .shade), svg polyline')) {
    const { fill, stroke } = getComputedStyle(shape)
    expectAtLeast(3, fill === 'none' ? stroke : fill, shape.closest('svg').parentElement, 'picture ' + shape.getAttribute('class'))
  }
  return { counted, found: [...new Set(found)] }
})()`
