import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { runBenjiBackupPvc } from '../../apps/sidecar/src/compat/benji-backup-pvc.ts'
import { runBenjiCommand } from '../../apps/sidecar/src/compat/benji-command.ts'
import { runBenjiRestorePvc } from '../../apps/sidecar/src/compat/benji-restore-pvc.ts'
import { runBenjiVersionsStatus } from '../../apps/sidecar/src/compat/benji-versions-status.ts'
import { runFridge } from '../../apps/sidecar/src/compat/fridge.ts'
import { runKubectlexec } from '../../apps/sidecar/src/compat/kubectlexec.ts'
import { runMakeK8sCfgFiles } from '../../apps/sidecar/src/compat/make-k8s-cfg-files.ts'
import type { Io } from '../../apps/sidecar/src/io.ts'
import { createProgram } from '../../apps/sidecar/src/program/program.ts'
import { systemClock } from '../../packages/runtime/src/index.ts'
import { root } from '../workspaces.ts'

/** Words of a command line → what `--help` prints. */
export type Helps = ReadonlyMap<string, string>

const columns = 110

/** What every command of every program says about itself, `holdfast run` → its help. */
export async function readHelps(): Promise<Helps> {
  const own = await helpsOfHoldfast()
  const others = await Promise.all(Object.entries(programs).map(async ([name, help]) => [name, await help()] as const))
  return new Map([...own, ...others])
}

/** `docs/reference/command-line.md`: what `--help` prints, of everything. */
export function renderCommandLine(helps: Helps): string {
  const section = ([command, help]: readonly [string, string]): string => {
    const [first = ''] = command.split(' ')
    return `${command === first ? '##' : '###'} ${command}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\``
  }
  return `# Command line

<!-- Generated from the programs themselves by \`npm run docs\`: what --help prints. -->

Everything here is what the programs say about themselves. [The README](../../README.md#exit-codes) has exit codes in one table;
[plugin-scripts](../../packages/plugin-scripts/README.md#commands-for-scripts) explains the commands for scripts.

${[...helps].map(section).join('\n\n')}
`
}

/** All commands of `holdfast`, each with the words that call it. */
export function commandsOf(program: Command): ReadonlyMap<string, Command> {
  const below = (command: Command, words: string): readonly (readonly [string, Command])[] => [
    [words, command],
    ...command.commands.flatMap((each) => below(each, `${words} ${each.name()}`)),
  ]
  return new Map(below(program, program.name()))
}

/** The program itself; nothing is run by it. */
export function holdfastProgram(io: Pick<Io, 'stdout' | 'stderr'> = captured().io): Command {
  const program = createProgram(io, [], () => Promise.resolve())
  for (const command of commandsOf(program).values()) {
    command.exitOverride().configureOutput({ getOutHelpWidth: () => columns, getOutHasColors: () => false })
  }
  return program
}

async function helpsOfHoldfast(): Promise<Helps> {
  const helps = new Map<string, string>()
  for (const [words] of commandsOf(holdfastProgram())) {
    const { io, text } = captured()
    const asked = [...words.split(' ').slice(1), '--help']
    // It ends by throwing that help was shown.
    await holdfastProgram(io)
      .parseAsync(asked, { from: 'user' })
      .catch(() => undefined)
    helps.set(words, text())
  }
  return helps
}

type Run = (args: readonly string[], io: Io) => Promise<number>

const programs: Readonly<Record<string, () => string | Promise<string>>> = {
  save_artifact: ofFile('save_artifact'),
  save_var: ofFile('save_var'),
  load_var: ofFile('load_var'),
  kubectlexec: () => {
    let text = ''
    const say = (line: string): void => void (text += line)
    return runKubectlexec(['--help'], { say } as unknown as Parameters<typeof runKubectlexec>[1]).then(() => text)
  },
  fridge: inProcess(runFridge),
  'make-k8s-cfg-files': inProcess(runMakeK8sCfgFiles),
  'benji-backup-pvc': inProcess(runBenjiBackupPvc),
  'benji-restore-pvc': inProcess(runBenjiRestorePvc),
  'benji-command': inProcess(runBenjiCommand),
  'benji-versions-status': inProcess(runBenjiVersionsStatus),
}

function inProcess(run: Run): () => Promise<string> {
  return async () => {
    const { io, text } = captured()
    await run(['--help'], io)
    return text()
  }
}

function ofFile(name: string): () => string {
  return () => execFileSync(join(root, 'apps/sidecar/bin', name), ['--help'], { encoding: 'utf8' })
}

/** A terminal that only remembers. */
function captured(): { readonly io: Io; readonly text: () => string } {
  let text = ''
  const terminal = { write: (part: string) => void (text += part), isTTY: false, columns: undefined }
  const io: Io = {
    stdout: terminal,
    stderr: terminal,
    writeBytes: () => Promise.resolve(),
    printed: () => Promise.resolve(undefined),
    stdin: new PassThrough(),
    env: {},
    cwd: root,
    clock: systemClock,
    onSignal: () => () => undefined,
    onFault: () => () => undefined,
  }
  return { io, text: () => text }
}
