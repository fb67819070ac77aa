import type { BenjiVersion } from '../benji/version.ts'

/**
 * Why a version can't be relied on: nothing that counts from it, or restores it, would be right.
 *
 * @param labels - what it should have
 */
export function whyUnfit(
  version: BenjiVersion | undefined,
  labels: Readonly<Record<string, string>>,
): string | undefined {
  if (!version) return 'it is not there'
  if (version.status !== 'valid') return `it is ${version.status}`
  const missing = Object.keys(labels).filter((name) => version.labels[name] !== labels[name])
  return missing.length === 0 ? undefined : `it lacks the labels ${missing.join(', ')}`
}
