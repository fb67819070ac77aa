const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/**
 * Bytes of a quantity as Kubernetes writes them: `10Gi`, `1.5Gi`, `1e9`, `128974848000m` (K16). Rounded up.
 *
 * @returns `undefined` when it isn't one, or is negative
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^\+?(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text.trim())
  if (!match) return undefined
  const [, digits, exponent, suffix = ''] = match
  const bytes = Math.ceil(Number(exponent === undefined ? digits : `${digits}e${exponent}`) * (factors[suffix] ?? 1))
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes, for people: `1.5 GiB`. What isn't whole in its unit is followed by the bytes. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  const text = `${Number(value.toFixed(1))} ${units[power]}`
  return Number(value.toFixed(1)) === value ? text : `${text} (${bytes} bytes)`
}
