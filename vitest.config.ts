import { defineConfig } from 'vitest/config'

// Tests run on the sources: the condition `@holdfast/source` of each package's exports points at its src/.
const source = { conditions: ['@holdfast/source'] }

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    testTimeout: 20_000,
    maxWorkers: 2,
    reporters: ['default', './scripts/summary-reporter.ts'],
    coverage: { include: ['{packages,apps}/*/src/**'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,apps,examples}/*/test/**/*.test.ts', 'charts/test/**/*.test.ts', 'scripts/*.test.ts'],
        },
      },
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
