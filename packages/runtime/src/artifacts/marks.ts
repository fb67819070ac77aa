// What is learned about an artifact after it was committed lies in small objects beside its manifest, which itself never
// changes: nothing that is written later can damage it.
import { isRecord } from './manifest.ts'

/** How an artifact's last verification ended: `….verified.json`. */
export interface Verification {
  readonly at: Date
  readonly result: 'verified' | 'damaged'
  /**
   * `decoded`: the bytes before encoding have the right digest. `stored`: only the bytes in the store have, because there
   * was no identity to decrypt them with.
   */
  readonly checked: 'decoded' | 'stored'
  /** What is wrong with a damaged one, in one line. */
  readonly reason?: string | undefined
  /**
   * Its own run has said so at its end: all of the target was backed up, and nothing that looked at it spoke against it. Who
   * reads back later what a run left behind that failed can't know that.
   */
  readonly complete?: boolean | undefined
}

/** Who accepted a suspect artifact: `….accepted.json`. */
export interface Acceptance {
  readonly at: Date
  readonly by: 'hand' | 'size'
}

/** A mark as text. Dates become ISO 8601. */
export function formatMark(mark: Verification | Acceptance): string {
  return `${JSON.stringify({ schema: 1, ...mark }, undefined, 2)}\n`
}

/** Reads a verification; `undefined` for what this version doesn't understand, which then says nothing. */
export function parseVerification(text: string): Verification | undefined {
  const { at, value } = parse(text)
  if (!at || (value['result'] !== 'verified' && value['result'] !== 'damaged')) return undefined
  const reason = typeof value['reason'] === 'string' ? value['reason'] : undefined
  const checked = value['checked'] === 'decoded' ? 'decoded' : 'stored'
  return { at, result: value['result'], checked, reason, ...(value['complete'] === true && { complete: true }) }
}

/** Reads an acceptance; `undefined` for what this version doesn't understand: then it isn't accepted. */
export function parseAcceptance(text: string): Acceptance | undefined {
  const { at, value } = parse(text)
  return at && { at, by: value['by'] === 'size' ? 'size' : 'hand' }
}

function parse(text: string): { readonly at: Date | undefined; readonly value: Record<string, unknown> } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (!isRecord(value) || value['schema'] !== 1 || typeof value['at'] !== 'string') return { at: undefined, value: {} }
  const at = new Date(value['at'])
  return { at: Number.isNaN(at.getTime()) ? undefined : at, value }
}
