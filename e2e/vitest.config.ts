import { basename } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// The engine is tested from its sources; what runs in pods is the image that e2e/run.sh has built.
const source = { conditions: ['@holdfast/source'] }

/**
 * Files that take minutes, in the order in which they begin, ahead of all others: the longest first, or it would be the
 * only one that is left at the end; and by turns one that keeps the processors busy and one that mostly waits.
 */
const first = [
  'benji-chain',
  'leader',
  'chart-undo',
  'chart-uninstall',
  'benji-restore',
  'benji-clients',
  'chart',
  'large',
  'benji-freeze',
  'exec',
  'mongodump',
  'chart-benji',
  'benji-maintenance',
  'chart-restricted',
  'benji-page',
  'rbac',
  'benji-start-page',
]

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = first.indexOf(basename(moduleId, '.e2e.ts'))
      return at === -1 ? first.length : at
    }
    // oxlint-disable-next-line unicorn/no-array-sort -- it isn't an array's
    const sorted = await super.sort(files)
    return sorted.toSorted((one, other) => place(one) - place(other))
  }
}

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  resolve: source,
  ssr: { resolve: source },
  test: {
    name: 'e2e',
    include: ['e2e/**/*.e2e.ts', 'apps/sidecar/test/*.e2e.ts'],
    // Pods take seconds to start and to end.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // More than cores: pods that start and end are waited for most of the time. The tests of a file run one by one.
    maxWorkers: 4,
    sequence: { sequencer: LongFirst },
    reporters: ['default', './scripts/summary-reporter.ts'],
  },
})
