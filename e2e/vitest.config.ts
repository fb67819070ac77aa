import { defineConfig } from 'vitest/config'

// The engine is tested from its sources; what runs in pods is the image that e2e/run.sh has built.
const source = { conditions: ['@holdfast/source'] }

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  resolve: source,
  ssr: { resolve: source },
  test: {
    name: 'e2e',
    include: ['e2e/**/*.e2e.ts'],
    // Pods take seconds to start and to end.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // More than cores: pods that start and end are waited for most of the time. The tests of a file run one by one.
    maxWorkers: 3,
    reporters: ['default', './scripts/summary-reporter.ts'],
  },
})
