import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { isRemembered, type FoundFile } from './discover.ts'
import { errors } from './errors.ts'
import { missingInterpreter, readStart, type Start } from './shebang.ts'

/** An undo travels in the journal and, in a cluster, in a ConfigMap, which may have 1 MiB in all. */
export const undoSizeLimit = 256 * 1024

/** A file that can be run. */
export interface RunnableFile extends FoundFile {
  /** Program and argument that read it; empty for a program, which the system starts by itself. */
  readonly interpreter: readonly string[]
}

/** A script of a hook, and the one that takes back what it does. */
export interface Script extends RunnableFile {
  /** The file `X.undo` beside it. */
  readonly undo: RunnableFile | undefined
}

/** Scripts that can run, and what is wrong with the others. */
export interface Linted {
  readonly scripts: readonly Script[]
  readonly problems: readonly HoldfastError[]
  readonly warnings: readonly string[]
}

/**
 * Sorts the files of a hook's directory into scripts and their undos, and refuses by name what could not run.
 *
 * @param path - the `PATH` that the scripts will have
 */
export function lintFiles(files: readonly FoundFile[], path: string): Linted {
  const names = new Set(files.map(({ name }) => name))
  const scripts: Script[] = []
  const problems: HoldfastError[] = []
  const warnings: string[] = []
  for (const file of files) {
    if (undoneBy(file.name, names) !== undefined) continue
    if (file.name.endsWith('.undo')) {
      warnings.push(`${file.path} runs as a script: there is no ${file.name.slice(0, -5)} beside it to undo`)
    }
    const undoFile = files.find(({ name }) => name === `${file.name}.undo`)
    const undo = undoFile && runnable(undoFile, lintUndo)
    const script = runnable(file, lintFile)
    // A script whose undo could not run must not run either.
    if (script && (undo || !undoFile)) scripts.push({ ...script, undo })
  }
  return { scripts, problems, warnings }

  function runnable(file: FoundFile, lint: (file: FoundFile, path: string) => readonly string[]) {
    try {
      return { ...file, interpreter: lint(file, path) }
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      problems.push(error)
      return undefined
    }
  }
}

/** The script that a file named `X.undo` belongs to. */
function undoneBy(name: string, names: ReadonlySet<string>): string | undefined {
  const script = name.endsWith('.undo') ? name.slice(0, -'.undo'.length) : ''
  return names.has(script) ? script : undefined
}

/** What reads the file; throws what is wrong with it. */
function lintFile(file: FoundFile, path: string): readonly string[] {
  if ((file.mode & 0o111) === 0) throw errors.SCRIPT_NOT_EXECUTABLE({ script: file.path })
  const start = readStart(file.bytes)
  const interpreter = interpreterOf(start, file.path, path)
  if (start.kind === 'program' && !file.executable) throw errors.SCRIPT_BINARY_DENIED({ script: file.path })
  return interpreter
}

function lintUndo(file: FoundFile, path: string): readonly string[] {
  const { path: script, size } = file
  if ((file.mode & 0o111) === 0) throw errors.SCRIPT_UNDO_NOT_EXECUTABLE({ script })
  if (size > undoSizeLimit || !isRemembered(file)) {
    throw errors.SCRIPT_UNDO_TOO_LARGE({ script, size, limit: undoSizeLimit })
  }
  return interpreterOf(readStart(file.bytes), script, path)
}

function interpreterOf(start: Start, script: string, path: string): readonly string[] {
  switch (start.kind) {
    case 'program':
      return []
    case 'unknown':
      throw errors.SCRIPT_NO_SHEBANG({ script, reason: start.reason })
    case 'crlf':
      throw errors.SCRIPT_CRLF({ script })
    case 'script': {
      const interpreter = missingInterpreter(start, path)
      if (interpreter !== undefined) throw errors.SCRIPT_INTERPRETER_MISSING({ script, interpreter })
      return start.argument === undefined ? [start.interpreter] : [start.interpreter, start.argument]
    }
  }
}
