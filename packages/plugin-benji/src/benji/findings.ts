import type { BenjiProgress, BenjiScrubReport } from './benji.ts'
import { isProblem, readIncomplete, readProgress, readSkipped } from './events.ts'
import type { BenjiEvent } from './log.ts'
import type { BenjiVersion } from './version.ts'

/** What Benji's log says of the data that it works on. */
export interface Findings {
  readonly onEvent: (event: BenjiEvent) => void
  readonly problems: readonly string[]
  /** The log and the result, as one. */
  report(result: {
    readonly versions: readonly BenjiVersion[]
    readonly errors: readonly BenjiVersion[]
  }): BenjiScrubReport
}

/** Problems that are kept: every bad block is one. */
const mostProblems = 1000

/** Of a batch of scrubs, when there was anything that it couldn't scrub. */
const verdict = /^ScrubbingError: One or more version had scrubbing errors/

/**
 * Creates {@link Findings}.
 *
 * @param options - `batch`: of many versions, some may be passed over
 */
export function createFindings(onProgress?: BenjiProgress, { batch = false } = {}): Findings {
  const problems: string[] = []
  const locked = new Set<string>()
  const unfinished = new Set<string>()
  return {
    problems,
    onEvent(event) {
      const progress = readProgress(event.event)
      if (progress) return onProgress?.(progress.done, progress.total, progress.task)
      const skipped = batch ? readSkipped(event.event) : undefined
      const incomplete = batch ? readIncomplete(event.event) : undefined
      if (skipped !== undefined) locked.add(skipped)
      else if (incomplete !== undefined) unfinished.add(incomplete)
      else if (isProblem(event) && problems.length < mostProblems) problems.push(event.event)
    },
    report({ versions, errors }) {
      // Benji counts a backup that didn't come to its end as an error: there was nothing to find wrong with it.
      const failed = errors.filter(({ uid }) => !unfinished.has(uid))
      return {
        versions,
        errors: failed,
        skipped: [...locked, ...unfinished],
        problems:
          failed.length === 0 && unfinished.size > 0 ? problems.filter((problem) => !verdict.test(problem)) : problems,
      }
    },
  }
}
