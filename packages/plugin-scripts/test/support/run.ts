import { join } from 'node:path'
import {
  isHoldfastError,
  type HoldfastError,
  type Json,
  type Plan,
  type PlannedStep,
  type RestorePoint,
} from '@holdfast/sdk'
import { createTestRun, type CreateTestRunOptions, type TestRun } from '@holdfast/testing'
import { onTestFinished, vi } from 'vitest'
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
  describe(): Promise<readonly PlannedStep[]>
  /** What `holdfast restore` does. Rejects with why it could not. */
  restore(point: RestorePoint, options: Record<string, string>, force?: boolean): Promise<Json>
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
  /** Where the scripts start. Default: a directory of this run. */
  readonly home?: string
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
  vi.stubEnv('HOME', given.home ?? directoryWith())
  onTestFinished(() => void vi.unstubAllEnvs())
  const set = scripts({ path, bin, ...given.options }, given.name === undefined ? undefined : { name: given.name })
  const test = await createTestRun({ ...given.test, use: [set, ...(given.use ?? [])] })
  onTestFinished(() => test.close())
  const lines = (): LogLine[] => test.log.map((line) => JSON.parse(line) as LogLine)
  const { signal } = new AbortController()
  const participant = () => {
    const [first] = test.engine.plan(given.test?.plan?.name ?? 'test').participants
    if (!first) throw new Error('the plan has no participants')
    return first
  }
  /** What a context has outside a run. */
  const services = () => {
    const { log, clock, meter, secrets, execFor } = test.engine.services
    return {
      config: participant().config,
      signal,
      log,
      clock,
      meter,
      secrets,
      exec: execFor({ signal, log }),
      kubernetes: undefined,
      workspace: async () => directoryWith(),
      assertFreezable: async () => {},
      lock: <T>(_name: string, body: () => T | PromiseLike<T>) => Promise.resolve(body()),
    }
  }
  const output = (): string[] =>
    lines()
      .filter(({ from }) => from !== undefined)
      .map(({ msg }) => msg)
  return {
    path,
    test,
    output,
    run: () => test.run(),
    async check() {
      try {
        await participant().hooks.validate?.handler({ ...services(), plan: 'test', phase: 'command' })
        return []
      } catch (error) {
        if (isHoldfastError(error)) return [error]
        throw error
      }
    },
    async describe() {
      const target = { id: 'scripts', labels: {}, data: null }
      return (await participant().describe?.({ ...services(), plan: 'test', phase: 'command', target })) ?? []
    },
    restore: (point, options, force) => test.restore(point, options, { force }),
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
