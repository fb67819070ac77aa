import type { BenjiBackupOptions } from '@holdfast/plugin-benji'
import { parseArguments, type OptionSpec } from './arguments.ts'
import { UsageError } from './fridge-options.ts'

/** What `benji-backup-pvc` was asked for. */
export interface BackupPvcOptions {
  readonly help: boolean
  /** `undefined`: of all, unless claims are named. */
  readonly namespace: string | undefined
  readonly selector: string | undefined
  readonly fieldSelector: string | undefined
  /** `namespace/name` each; empty: those that are selected. */
  readonly claims: readonly string[]
  readonly sourceCompare: boolean
  readonly selectOnly: boolean
}

/** What was asked for contradicts itself: exit code 64, as Benji has it. */
export class SelectionError extends UsageError {}

const specs: readonly OptionSpec[] = [
  { names: ['--all-namespaces'], takes: 'flag' },
  { names: ['-n', '--namespace'], takes: 'value' },
  { names: ['-l', '--selector'], takes: 'values' },
  { names: ['--field-selector'], takes: 'values' },
  { names: ['--source-compare'], takes: 'flag' },
  { names: ['--select-only'], takes: 'flag' },
]

/**
 * Reads the arguments of `benji-backup-pvc`.
 *
 * @throws UsageError, SelectionError
 */
export function parseBackupPvcOptions(args: readonly string[]): BackupPvcOptions {
  const parsed = parseArguments(args, specs, { required: [], rest: true })
  const { help, words } = parsed
  const all = parsed.has('--all-namespaces')
  const namespace = parsed.value('--namespace')
  const selector = join(parsed.all('--selector'))
  const fieldSelector = join(parsed.all('--field-selector'))
  if (!help) {
    if (namespace === '') throw new SelectionError('--namespace names no namespace')
    if (all && namespace !== undefined) {
      throw new SelectionError('--all-namespaces and --namespace contradict each other')
    }
    if (words.length > 0 && (all || selector !== undefined || fieldSelector !== undefined)) {
      throw new SelectionError('claims are either named or selected: leave out the names or the selectors')
    }
  }
  return {
    help,
    namespace,
    selector,
    fieldSelector,
    claims: help ? [] : words.map((word) => claimOf(word, namespace)),
    sourceCompare: parsed.has('--source-compare'),
    selectOnly: parsed.has('--select-only'),
  }
}

/** The same for our own plugin. Comparing with the source means all of it, as it did there. */
export function backupOptions(options: BackupPvcOptions): BenjiBackupOptions {
  const { namespace, selector, fieldSelector, claims, sourceCompare } = options
  const compare = sourceCompare ? true : undefined
  if (claims.length > 0) return { pvcs: claims, compare }
  return {
    ...(namespace === undefined ? { all: true } : { namespaces: [namespace] }),
    selector,
    fieldSelector,
    compare,
  }
}

function claimOf(word: string, namespace: string | undefined): string {
  if (!/^[^/\s]+(?:\/[^/\s]+)?$/.test(word)) throw new SelectionError(`'${word}' is no claim: write [namespace/]name`)
  if (word.includes('/')) return word
  if (namespace === undefined) {
    throw new SelectionError(`the namespace of '${word}' is missing: write namespace/${word}, or say --namespace`)
  }
  return `${namespace}/${word}`
}

function join(selectors: readonly string[]): string | undefined {
  return selectors.filter((selector) => selector !== '').join(',') || undefined
}
