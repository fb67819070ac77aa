import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { cli, startCli, type CliOptions, type CliResult, type RunningCli } from './cli.ts'

/** A directory of a test's own, gone afterwards, with a state directory and a store in it. */
export interface Workspace {
  readonly path: string
  readonly state: string
  readonly store: string
  at(...parts: readonly string[]): string
  /** Writes a file. */
  write(name: string, text: string, mode?: number): string
  /** Writes a script, with its first line. */
  script(name: string, body: string): string
  run(args: readonly string[], options?: Partial<CliOptions>): Promise<CliResult>
  start(args: readonly string[], options?: Partial<CliOptions>): RunningCli
}

/** Makes one. */
export function workspace(files: Readonly<Record<string, string>> = {}): Workspace {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-cli-')))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  const state = join(path, 'state')
  const at = (...parts: readonly string[]): string => join(path, ...parts)
  const write = (name: string, text: string, mode = 0o644): string => {
    const file = at(name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode })
    return file
  }
  const options = (given: Partial<CliOptions> = {}): CliOptions => ({
    cwd: path,
    ...given,
    env: { HOLDFAST_STATE_DIR: state, ...given.env },
  })
  for (const [name, text] of Object.entries(files)) write(name, text)
  return {
    path,
    state,
    store: at('state', 'artifacts'),
    at,
    write,
    script: (name, body) => write(`scripts/${name}`, `#!/bin/sh\n${body}\n`, 0o755),
    run: (args, given) => cli(args, options(given)),
    start: (args, given) => startCli(args, options(given)),
  }
}

/** A configuration with a plan "shop" that runs the scripts below a directory. */
export function shopYaml(path: string): string {
  return `plans:
  shop:
    schedule: { cron: '0 3 * * *', timeZone: Europe/Berlin }
    use:
      - '@holdfast/plugin-scripts#scripts': { path: ${path}/scripts }
    retention: { latest: 2 }
`
}

/** A workspace with that plan. */
export function shop(): Workspace {
  const here = workspace()
  here.write('holdfast.yaml', shopYaml(here.path))
  return here
}
