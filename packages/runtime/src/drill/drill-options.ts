import type { DrillOptions, DrillPlace } from '@holdfast/sdk'

/** What a text of a drill's options may contain. */
export const placeholders = ['directory', 'suffix'] as const

const placeholder = /\{([A-Za-z]+)\}/g

/** Placeholders of a text that stand for nothing. */
export function unknownPlaceholders(text: string): readonly string[] {
  const known: readonly string[] = placeholders
  return [...text.matchAll(placeholder)].map(([, name = '']) => name).filter((name) => !known.includes(name))
}

/** Options as the plugin gets them: as texts, which is what `--to key=value` gives it. */
export function fillOptions(
  options: DrillOptions,
  place: Pick<DrillPlace, (typeof placeholders)[number]>,
): Readonly<Record<string, string>> {
  const fill = (text: string): string =>
    text.replaceAll(placeholder, (whole, name: string) =>
      name === 'directory' || name === 'suffix' ? place[name] : whole,
    )
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, fill(String(value))]))
}
