// The tools as programs, for containers: shell scripts that do what the fake tools do, with files beside them for what they find and
// what they leave. A mongosh is one that evaluates what it is given, as the real one does (2.12 was tried by hand).
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Programs in a directory of their own. */
export interface ToolPrograms {
  /** The working directory of their container. */
  readonly directory: string
  /** The environment of their container. */
  readonly env: Readonly<Record<string, string>>
  /** What they left: `calls`, `config`, `environ`, `restored`. */
  left(name: string): string
  /** What mongodump writes. */
  archive(bytes: Uint8Array): void
  /** What mongodump says, and its exit code. */
  ends(exitCode: number, said: string): void
}

/** Which programs there are, besides mongodump and mongorestore. */
export interface ToolProgramsOptions {
  readonly mongosh?: boolean
  readonly tools?: boolean
}

// Compiled once, by the first of them.
const cache = mkdtempSync(join(tmpdir(), 'holdfast-compiled-'))
process.on('exit', () => rmSync(cache, { recursive: true, force: true }))

const common = `#!/bin/sh
echo "\${0##*/} $*" >>"$FAKE/calls"
case "$*" in *--version*) echo "\${0##*/} version: 100.10.0"; exit 0 ;; esac
[ "$1" = --config ] && cat "$2" >"$FAKE/config"
tr '\\0' '\\n' </proc/$$/environ >"$FAKE/environ"
`

/** Writes the programs. */
export function toolPrograms({ mongosh = false, tools = true }: ToolProgramsOptions = {}): ToolPrograms {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-tools-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const fake = join(directory, 'fake')
  const bin = join(directory, 'bin')
  for (const each of [fake, bin]) mkdirSync(each)
  const program = (name: string, text: string): void => {
    writeFileSync(join(bin, name), text)
    chmodSync(join(bin, name), 0o755)
  }
  if (tools) {
    program('mongodump', `${common}cat "$FAKE/archive"\ncat "$FAKE/said" >&2\nexit "$(cat "$FAKE/exit")"\n`)
    program(
      'mongorestore',
      `${common}cat >"$FAKE/restored"\necho '2026-11-25T23:48:46.613+0000	12 document(s) restored successfully. 0 document(s) failed to restore.' >&2\n`,
    )
  }
  if (mongosh) {
    const shell = join(import.meta.dirname, 'fake-mongosh.ts')
    const node = `exec "${process.execPath}" --conditions=@holdfast/source "${shell}" "$@"`
    program(
      'mongosh',
      `#!/bin/sh\necho "mongosh $1 $2 $3" >>"$FAKE/calls"\n[ "$1" = --version ] && { echo 2.12.0; exit; }\n${node}\n`,
    )
  }
  const file = (name: string): string => join(fake, name)
  writeFileSync(file('said'), '')
  writeFileSync(file('exit'), '0')
  writeFileSync(file('archive'), '')
  return {
    directory,
    env: { FAKE: fake, PATH: `${bin}:/usr/bin:/bin`, NODE_COMPILE_CACHE: cache },
    left: (name) => readFileSync(file(name), 'latin1'),
    archive: (bytes) => writeFileSync(file('archive'), bytes),
    ends(exitCode, said) {
      writeFileSync(file('exit'), String(exitCode))
      writeFileSync(file('said'), said)
    },
  }
}
