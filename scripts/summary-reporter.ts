import { stdout } from 'node:process'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Ends a test run with `N passed, N failed` alone on the last line, so that anything can read the result. A file that
 * could not be run and an error outside a test each count as one failure; so does a run without any test. Before it,
 * what failed, a line each: whoever sees only the end of a log sees that.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    const failures = errors.map(({ message }) => `outside of tests: ${firstLine(message)}`)
    for (const module of modules) {
      const failedBefore = counts.failed
      for (const test of module.children.allTests()) {
        const { state, errors: reasons } = test.result()
        if (state !== 'pending') counts[state] += 1
        if (state === 'failed')
          failures.push(`${module.relativeModuleId} > ${test.fullName}: ${firstLine(reasons[0]?.message)}`)
      }
      if (counts.failed === failedBefore && !module.ok()) {
        counts.failed += 1
        failures.push(`${module.relativeModuleId}: ${firstLine(module.errors()[0]?.message)}`)
      }
    }
    if (counts.passed + counts.failed === 0) counts.failed = 1
    for (const failure of failures) stdout.write(`FAILED: ${failure}\n`)
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
    stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
  }
}

function firstLine(text = 'no reason given'): string {
  const [line = ''] = text.split('\n')
  return line
}
