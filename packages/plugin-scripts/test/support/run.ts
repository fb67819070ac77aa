import { join } from 'node:path'
import { inspectPlan, validatePlan, type InspectedTarget } from '@holdfast/runtime'
import type { HoldfastError, Plan } from '@holdfast/sdk'
import { createTestRun, type CreateTestRunOptions, type TestRun } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import { scripts, type ScriptsOptions } from '../../src/index.ts'
import { bin, directoryWith, type TestFiles } from './files.ts'

/** A set of scripts on the real runner: real scripts in real processes, an injected clock, a store in memory. */
export interface ScriptRun {
  /** The directory that holds the hooks' directories. */
  readonly path: string
  readonly test: TestRun
  /** Runs the plan once. */
  run(): ReturnType<TestRun['run']>
  /** What `holdfast validate` finds. */
  check(): Promise<readonly HoldfastError[]>
  /** What `holdfast plan` shows. */
  inspect(): Promise<readonly InspectedTarget[]>
  /** What the scripts printed, line by line. */
  output(): string[]
  /** What was said in the log at a level. */
  said(level: 'warn' | 'error'): string[]
  /** Resolves when a script has printed a line. */
  printed(line: string): Promise<void>
}

/** Options of {@link scriptRun}. */
export interface ScriptRunOptions {
  readonly options?: ScriptsOptions
  readonly name?: string
  /** Beside the scripts. */
  readonly use?: Plan['use']
  readonly test?: Omit<CreateTestRunOptions, 'use'>
}

interface LogLine {
  readonly level: unknown
  readonly msg: string
  readonly from?: unknown
}

/** Writes the scripts and makes a run of them, gone when the test is. */
export async function scriptRun(files: TestFiles, given: ScriptRunOptions = {}): Promise<ScriptRun> {
  const path = directoryWith(files)
  const set = scripts({ path, bin, ...given.options }, given.name === undefined ? undefined : { name: given.name })
  const test = await createTestRun({ ...given.test, use: [set, ...(given.use ?? [])] })
  onTestFinished(() => test.close())
  const lines = (): LogLine[] => test.log.map((line) => JSON.parse(line) as LogLine)
  const plan = () => test.engine.plan(given.test?.plan?.name ?? 'test')
  const never = new AbortController().signal
  const output = (): string[] =>
    lines()
      .filter(({ from }) => from !== undefined)
      .map(({ msg }) => msg)
  return {
    path,
    test,
    output,
    run: () => test.run(),
    check: () => validatePlan(test.engine.services, plan(), 'command', never),
    inspect: () => inspectPlan(test.engine.services, plan(), never),
    said: (level) => lines().flatMap((line) => (line.level === level ? [line.msg] : [])),
    async printed(line) {
      for (let i = 0; i < 1000 && !output().includes(line); i++) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }
}

/** The path of a script of a set. */
export function scriptPath(run: ScriptRun, script: string): string {
  return join(run.path, script)
}
