import type { Logger } from '@holdfast/sdk'
import { withoutUserinfo } from '../server/uri.ts'

/** Takes the lines that a tool of MongoDB prints. */
export interface ToolLog {
  line(text: string): void
  /** Its reason to give up, or else its last words. */
  readonly lastWords: string
  /** Documents that mongorestore gave up, some of them. */
  readonly refused: readonly string[]
  /** What mongorestore says at its end. */
  readonly restored: { readonly restored: number; readonly failed: number } | undefined
  /** Whether a line like this was said. */
  said(pattern: RegExp): boolean
}

/** Lines that are kept for {@link ToolLog.said}: the last ones. */
const keptLines = 50
const keptRefusals = 3

/**
 * Creates a {@link ToolLog}. Passes on what somebody may want to know, without the bars that move and without the passwords that
 * the tools print with connection strings.
 */
export function createToolLog(log: Logger, program: string): ToolLog {
  const lines: string[] = []
  const refused: string[] = []
  let reason: string | undefined
  let restored: ToolLog['restored']
  return {
    line(text) {
      // 2026-11-25T23:47:57.774+0000<tab>
      const line = withoutUserinfo(text.replace(/^\d{4}-\d\d-\d\dT\S+\s+/, ''))
      if (line.trim() === '' || /^\[[#.]*\]/.test(line)) return
      const [, refusal] = /^continuing through error: (.*)$/.exec(line) ?? []
      if (refusal !== undefined) {
        if (refused.length < keptRefusals && !refused.includes(refusal)) refused.push(refusal)
        return
      }
      lines.push(line)
      if (lines.length > keptLines) lines.shift()
      reason = /^Failed: (.*)$/s.exec(line)?.[1] ?? reason
      const [, good, bad] = /^(\d+) document\(s\) restored successfully\. (\d+) document\(s\) failed/.exec(line) ?? []
      if (good !== undefined) restored = { restored: Number(good), failed: Number(bad) }
      log.debug(`${program}: ${line}`)
    },
    get lastWords() {
      return reason ?? lines.at(-1) ?? 'it said nothing'
    },
    get restored() {
      return restored
    },
    refused,
    said: (pattern) => lines.some((line) => pattern.test(line)),
  }
}
