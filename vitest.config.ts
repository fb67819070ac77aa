import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Tests run on the sources: the condition `@holdfast/source` of each package's exports points at its src/.
const source = { conditions: ['@holdfast/source'] }

/**
 * Test files that have a process of their own each, because of what they leave behind: what is tested of loading is kept by
 * the process (module hooks stay registered, what an app brings along stays provided, CommonJS caches), and one file
 * replaces modules (`vi.mock`).
 */
const isolated = ['packages/runtime/test/{load/**/*,exec/without-os-pipes}.test.ts']

/**
 * Test files that start many processes. They share workers with each other alone, because every start copies the page tables
 * of the worker: 1 ms with 50 MB, 12 ms with 350 MB. A worker that has run all the other files is larger than that.
 */
const processes = [
  'packages/runtime/test/exec/**/*.test.ts',
  'packages/runtime/test/artifacts/{crash,copy-crash}.test.ts',
  'packages/storage-s3/test/{kill,memory}.test.ts',
  'packages/plugin-scripts/test/**/*.test.ts',
  'packages/plugin-benji/test/{freeze/*,backup/frozen}.test.ts',
  'packages/plugin-mongodump/test/{container,quiesce/crash}.test.ts',
  'packages/testing/test/fake-kubernetes-{exec,kubectl}.test.ts',
  'packages/plugin-mongodump/test/process.test.ts',
  'packages/testing/test/sdk-copies.test.ts',
  'packages/runtime/test/lifecycle/dump-faults.test.ts',
  'apps/sidecar/test/{benji-commands,crash-sweep,daemon,drill,drill-crash,drill-daemon,fridge}.test.ts',
  'apps/sidecar/test/{http-daemon,kubectlexec,process,run,script-commands,store,undo-mirror}.test.ts',
]

/**
 * What is checked of the repository, not tested of what users run: that pages, links, examples and generated files are
 * right, workflows and releases, what images are made from; the chart, which is rendered by Helm and nothing else; and
 * that each test runner can run the conformance suites.
 * `npm run test:checks`, not `npm test`.
 */
const checks = ['charts/test/**/*.test.ts', 'scripts/*.test.ts', 'packages/testing/test/runners.test.ts']

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    // Far more than any test needs: the machine may be busy with something else.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // More than cores: some tests wait for real processes to die.
    maxWorkers: 3,
    globalSetup: './scripts/test-directory.ts',
    reporters: ['default', './scripts/summary-reporter.ts'],
    coverage: { include: ['{packages,apps}/*/src/**'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,apps,examples}/*/test/**/*.test.ts'],
          exclude: [...isolated, ...processes, ...checks],
          // Modules are loaded once per worker, not once per file. So a test leaves nothing behind, in whatever order they
          // come: `--sequence.shuffle.files` finds out.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'processes', include: processes, exclude: isolated, isolate: false } },
      { extends: true, test: { name: 'isolated', include: isolated, isolate: true } },
      { extends: true, test: { name: 'checks', include: checks, isolate: true } },
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            // These files alone, with the fastest compiler: `npm run types` compiles everything with ours.
            tsconfig: 'tsconfig.test-d.json',
            checker: join(import.meta.dirname, 'node_modules/ts7/bin/tsc'),
          },
        },
      },
    ],
  },
})
