/** A number of bytes, or a text: `'8MiB'`, `'1.5GiB'`, `'100MB'`. */
export type Size = number | `${number}${'B' | 'kB' | 'KiB' | 'MB' | 'MiB' | 'GB' | 'GiB'}`

const units: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KiB: 2 ** 10,
  MB: 1e6,
  MiB: 2 ** 20,
  GB: 1e9,
  GiB: 2 ** 30,
}

/** Whole bytes; `undefined` for what is no {@link Size}. */
export function parseSize(size: unknown): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([kKMG]i?B|B)?$/.exec(String(size)) ?? []
  const factor = unit === undefined ? 1 : units[unit]
  if (number === undefined || factor === undefined) return undefined
  const bytes = Math.round(Number(number) * factor)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
