import { defineConfig } from 'vitest/config'

// Tests run on the sources: the condition `@holdfast/source` of each package's exports points at its src/.
const source = { conditions: ['@holdfast/source'] }

/**
 * Test files that have a process of their own. What is tested of loading is kept by the process: module hooks stay
 * registered, what an app brings along stays provided, CommonJS caches. And one replaces modules (`vi.mock`).
 */
const isolated = ['packages/runtime/test/load/**/*.test.ts', 'packages/runtime/test/exec/without-os-pipes.test.ts']

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
          exclude: isolated,
          // Modules are loaded once per worker, not once per file. So a test leaves nothing behind, in whatever order they
          // come: `--sequence.shuffle.files` finds out.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'isolated', include: isolated, isolate: true } },
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
