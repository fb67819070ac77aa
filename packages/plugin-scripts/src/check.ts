import type { HoldfastError } from '@holdfast/sdk'
import { errors } from './errors.ts'
import { scriptDirectories, type ScriptDirectory } from './hooks.ts'
import type { ScriptKind } from './kind.ts'
import { scriptUsing, type ScriptSet } from './script-set.ts'

/** What `validate` finds. */
export interface Findings {
  /** The set is refused for these. */
  readonly problems: readonly HoldfastError[]
  readonly warnings: readonly string[]
}

/**
 * Everything that is wrong with a set, at once.
 *
 * @param kind - what the plan was loaded with
 */
export function checkScriptSet(set: ScriptSet, kind: ScriptKind): Findings {
  const linted = scriptDirectories.map((directory) => set.directories[directory])
  const variables = checkVariables(set)
  return {
    problems: [
      ...set.problems,
      ...linted.flatMap(({ problems }) => problems),
      ...checkKind(set, kind),
      ...set.directories.validate.scripts
        .filter(({ undo }) => undo)
        .map(({ undo }) => errors.SCRIPT_UNDO_UNUSABLE({ script: undo?.path ?? '' })),
      ...variables.problems,
    ],
    warnings: [
      ...linted.flatMap(({ warnings }) => warnings),
      ...checkUnused(set, kind),
      ...checkPruning(set, kind),
      ...checkPipes(set),
      ...variables.warnings,
    ],
  }
}

/** One error for all problems: the problem itself, or a list of them. */
export function refusal(root: string, problems: readonly HoldfastError[]): HoldfastError | undefined {
  const [first, ...more] = problems
  if (!first || more.length === 0) return first
  const list = problems.map(({ message }) => message).join('; ')
  const fixes = [...new Set(problems.map(({ hint }) => hint))].join(' ')
  return errors.SCRIPTS_REFUSED(
    { path: root, count: problems.length, list, fixes },
    {
      cause: first,
      details: { problems: problems.map(({ code, message, hint }) => ({ code, message, hint })) },
    },
  )
}

function isEmpty(set: ScriptSet, directory: ScriptDirectory): boolean {
  const { scripts, problems } = set.directories[directory]
  // A script that was refused is there all the same, and has its own problem.
  return scripts.length === 0 && problems.length === 0
}

function checkKind(set: ScriptSet, kind: ScriptKind): HoldfastError[] {
  const path = set.root
  // Said once is enough: a set that isn't there is empty, too.
  if (set.problems.some(({ code }) => code === errors.SCRIPTS_PATH_MISSING.code)) return []
  const backsUp = !isEmpty(set, 'backups')
  if (kind === 'surrounds') return backsUp ? [errors.SCRIPTS_BACKUPS_OFF({ path })] : []
  if (!backsUp && isEmpty(set, 'maintain')) return [errors.SCRIPTS_EMPTY({ path })]
  const words = { 'backs-up': 'a set that backs up', maintains: 'a set that only maintains' }
  const now = backsUp ? 'backs-up' : 'maintains'
  return now === kind ? [] : [errors.SCRIPTS_KIND_CHANGED({ path, now: words[now], before: words[kind] })]
}

/** Scripts that this kind of set never calls. */
function checkUnused(set: ScriptSet, kind: ScriptKind): string[] {
  if (kind === 'backs-up') return []
  const never: ScriptDirectory[] = ['verify_backups', 'prune_backups']
  if (kind === 'maintains') never.push('before_backups', 'after_backups')
  return never
    .filter((directory) => !isEmpty(set, directory))
    .map((directory) => `the scripts in ${set.root}/${directory} never run: this set backs nothing up`)
}

function checkPruning(set: ScriptSet, kind: ScriptKind): string[] {
  if (kind !== 'backs-up' || isEmpty(set, 'prune_backups') || !isEmpty(set, 'verify_backups')) return []
  if (scriptUsing(set, 'save_artifact', ['backups'])) return []
  return [
    `the scripts in ${set.root}/prune_backups will not run: nothing is pruned on the strength of a backup that was ` +
      'not verified, and this set neither saves artifacts nor has a script in verify_backups',
  ]
}

/** Half a dump looks like a whole one where a shell forgets how the first command of a pipe ended. */
function checkPipes(set: ScriptSet): string[] {
  return set.directories.backups.scripts
    .map(({ path, bytes }) => ({ path, text: Buffer.from(bytes).toString('latin1') }))
    .filter(({ text }) => /^[^#\n]*\|\s*save_artifact\b/m.test(text) && !text.includes('pipefail'))
    .map(
      ({ path }) =>
        `${path} pipes into save_artifact without pipefail: if the command before it fails half-way, half a backup ` +
        'counts as a whole one. Use bash and `set -o pipefail`, or write to a file first',
    )
}

/** What `kubectlexec` needs, as far as it is used. */
function checkVariables(set: ScriptSet): Findings {
  const missing = ['TARGET_CONTAINER', 'POD_NAME'].filter((name) => process.env[name] === undefined)
  if (missing.length === 0) return { problems: [], warnings: [] }
  const script = scriptUsing(set, 'kubectlexec')?.path
  if (script === undefined) {
    const warning = `${missing.join(' and ')} not set: kubectlexec will not work (no script names it)`
    return { problems: [], warnings: [warning] }
  }
  return { problems: missing.map((variable) => errors.SCRIPTS_VARIABLE_MISSING({ script, variable })), warnings: [] }
}
