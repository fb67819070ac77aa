import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { advanceUntil, createTestRun, type TestRun } from '@holdfast/testing'
import { defineHook, type Drill } from '@holdfast/sdk'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { drillScripts } from '../src/index.ts'
import { bin, directoryWith, type TestFiles } from './support/files.ts'

const dump = defineHook('backups', (ctx) => ctx.createArtifact('shop.sql', (sink) => sink.write(Buffer.from('rows'))), {
  name: 'dump',
})

interface DrillRun {
  readonly run: TestRun
  /** Where the scripts are. */
  readonly path: string
  /** Where they leave what a test looks at. */
  at(name: string): string
}

async function drillRun(
  { expect: expects, cleanup }: { readonly expect: TestFiles; readonly cleanup?: TestFiles },
  more: Partial<Drill> = {},
): Promise<DrillRun> {
  const out = directoryWith()
  vi.stubEnv('OUT', out)
  vi.stubEnv('HOME', out)
  onTestFinished(() => void vi.unstubAllEnvs())
  const path = directoryWith(expects)
  const cleaning = cleanup && directoryWith(cleanup)
  const run = await createTestRun({
    use: [dump],
    drills: [
      {
        name: 'weekly',
        expect: drillScripts({ path, bin }).expect,
        cleanup: cleaning === undefined ? undefined : drillScripts({ path: cleaning, bin }).cleanup,
        ...more,
      },
    ],
  })
  onTestFinished(() => run.close())
  await run.run()
  return { run, path, at: (name) => join(out, name) }
}

/** A script that appends to a file of the test. */
const says = (text: string, end = ''): string => `#!/bin/sh\necho "${text}" >> "$OUT/said"\n${end}`

describe('scripts of a drill', () => {
  test('look at what was restored, in its directory and in the order of their names, with the run’s variables', async () => {
    const { run, at } = await drillRun(
      {
        expect: {
          '10-rows': `#!/bin/sh\nset -e\n[ "$(cat shop.sql)" = rows ]\nsave_var seen "$PWD"\n${says('first').slice(10)}`,
          '20-again': `#!/bin/sh\nset -e\n[ "$(load_var seen)" = "$HOLDFAST_DRILL_DIRECTORY" ]\n${says('second').slice(10)}`,
        },
        cleanup: { '10-drop': says('cleaned $HOLDFAST_OPTION_DATABASE_NAME') },
      },
      { options: { 'database-name': 'x_{suffix}' } },
    )
    const { outcome, run: made } = await run.drill()
    expect(outcome.error).toBeUndefined()
    expect(readFileSync(at('said'), 'utf8')).toBe(
      `first\nsecond\ncleaned x_${made.id.toLowerCase().replaceAll('-', '')}\n`,
    )
  })

  test('are told everything there is to know', async () => {
    const { run, at } = await drillRun({
      expect: { a: '#!/bin/sh\nenv | grep ^HOLDFAST_ | sort > "$OUT/expect"\n' },
      cleanup: { a: '#!/bin/sh\nenv | grep ^HOLDFAST_ | sort > "$OUT/cleanup"\n' },
    })
    const { run: made, restored } = await run.drill()
    const variables = (name: string): Record<string, string> =>
      Object.fromEntries(
        readFileSync(at(name), 'utf8')
          .trim()
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      )
    const both = {
      HOLDFAST_DRILL: 'weekly',
      HOLDFAST_PLAN: 'test',
      HOLDFAST_TARGET: 'dump',
      HOLDFAST_RUN_ID: made.id,
      HOLDFAST_DRILL_DIRECTORY: join(run.stateDirectory, 'drills', `holdfast-drill-${made.id}`),
      HOLDFAST_DRILL_SUFFIX: made.id.toLowerCase().replaceAll('-', ''),
      HOLDFAST_RESTORED: String(restored[0]?.where),
    }
    const point = restored[0]?.point
    expect(variables('expect')).toMatchObject({
      ...both,
      HOLDFAST_HOOK: 'expect',
      HOLDFAST_POINT_ID: point?.id,
      HOLDFAST_POINT_CREATED_AT: point?.createdAt.toISOString(),
      HOLDFAST_ARTIFACT_NAME: 'shop.sql',
      HOLDFAST_ARTIFACT_SIZE: '4',
    })
    expect(variables('cleanup')).toMatchObject({ ...both, HOLDFAST_HOOK: 'cleanup' })
  })

  test('the first that fails fails the drill, by its name', async () => {
    const { run, at, path } = await drillRun(
      {
        expect: { '10-bad': says('bad', 'exit 3\n'), '20-never': says('never') },
        cleanup: { '10-broken': says('broken', '[ -e "$OUT/mended" ]\n'), '20-drop': says('dropped') },
      },
      { timeouts: { cleanup: '20s' } },
    )
    const { outcome } = await advanceUntil(run.clock, run.drill(), '100ms')
    expect(outcome.error).toMatchObject({
      code: 'DRILL_EXPECTATION',
      message: expect.stringContaining(`${path}/10-bad`) as string,
    })
    // A cleanup goes on: what can be removed is removed.
    expect(readFileSync(at('said'), 'utf8').split('\n').slice(0, 3)).toEqual(['bad', 'broken', 'dropped'])
    expect(outcome.warnings).toMatchObject([{ code: 'UNDO_FAILED' }])
  })

  test('may be one script', async () => {
    const { path } = await drillRun({ expect: { check: says('alone') } })
    const { run, at } = await drillRun(
      { expect: {} },
      { expect: drillScripts({ path: join(path, 'check'), bin }).expect },
    )
    expect((await run.drill()).outcome.status).toBe('succeeded')
    expect(readFileSync(at('said'), 'utf8')).toBe('alone\n')
  })
})

describe('what could not run is found before, by name', () => {
  test.each<[what: string, scripts: TestFiles, code: string]>([
    ['nothing at all', {}, 'DRILL_SCRIPTS_EMPTY'],
    ['no shebang', { a: 'true\n' }, 'SCRIPT_NO_SHEBANG'],
    ['no interpreter', { a: '#!/bin/no-such-shell\n' }, 'SCRIPT_INTERPRETER_MISSING'],
    ['an undo that nobody would run', { a: '#!/bin/sh\n', 'a.undo': '#!/bin/sh\n' }, 'DRILL_SCRIPT_UNDO'],
  ])('%s', async (_, scripts, code) => {
    const path = directoryWith(scripts)
    expect(await drillScripts({ path }).check()).toMatchObject([{ code }])
    // And nothing runs as if it were not there.
    const { run } = await drillRun({ expect: scripts })
    expect((await run.drill()).outcome).toMatchObject({
      status: 'failed',
      error: { code: 'DRILL_EXPECTATION', cause: { code } },
    })
  })

  test('nothing where all is well', async () => {
    expect(await drillScripts({ path: directoryWith({ a: '#!/bin/sh\n' }) }).check()).toEqual([])
  })
})

test('scripts that call kubectlexec declare the rights that it needs', () => {
  expect(drillScripts({ path: directoryWith({ a: '#!/bin/sh\n' }) }).permissions).toEqual([])
  const path = directoryWith({ a: '#!/bin/sh\nkubectlexec true\n' })
  for (const each of [path, join(path, 'a')]) {
    expect(drillScripts({ path: each }).permissions.map(({ resource }) => resource)).toEqual(['pods', 'pods/exec'])
  }
})
