import { defineConfig } from 'vitest/config'

// Tests run on the sources: the condition `@holdfast/source` of each package's exports points at its src/.
const source = { conditions: ['@holdfast/source'] }

/** Test files that replace modules (`vi.mock`), each in a worker of its own. */
const mocked = ['packages/runtime/test/exec/without-os-pipes.test.ts']

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    testTimeout: 20_000,
    // More than cores: some tests wait for real processes to die.
    maxWorkers: 3,
    reporters: ['default', './scripts/summary-reporter.ts'],
    coverage: { include: ['{packages,apps}/*/src/**'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,apps,examples}/*/test/**/*.test.ts', 'charts/test/**/*.test.ts', 'scripts/*.test.ts'],
          exclude: mocked,
          // Modules are loaded once per worker, not once per file: a quarter of the time. What replaces modules is below.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'mocked', include: mocked } },
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: 'tsconfig.json',
          },
        },
      },
    ],
  },
})
