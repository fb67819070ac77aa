import type * as Yaml from 'yaml'
import type { Document, LineCounter, Node, Pair, YAMLError } from 'yaml'
import { errors } from '../errors.ts'
import { reasonOf } from '../failure.ts'
import type { Locate, Path, Problems, Position } from './problems.ts'
import type { HoldfastError } from '@holdfast/sdk'

/** A YAML file that could be parsed. */
export interface YamlConfig {
  readonly value: unknown
  readonly locate: Locate
}

/**
 * Parses a YAML file. Anchors and merge keys (`<<`) work; tags, several documents and duplicate keys don't.
 *
 * @returns `undefined` when it can't be parsed; why is among the problems
 */
export async function parseYaml(
  text: string,
  file: string,
  problems: Pick<Problems, 'add'>,
): Promise<YamlConfig | undefined> {
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  const wrong = [...document.errors, ...document.warnings]
  for (const error of wrong) problems.add(syntaxError(error, text), { position: positionOf(error.pos[0], lines, file) })
  if (wrong.length > 0) return undefined
  try {
    return { value: document.toJS(), locate: locateIn(document, lines, file, yaml) }
  } catch (error) {
    // Aliases that multiply without end.
    problems.add(errors.CONFIG_SYNTAX({ reason: reasonOf(error) }, { cause: error }), { position: { file } })
    return undefined
  }
}

const fixes: Readonly<Record<string, readonly [reason: string, fix: string]>> = {
  DUPLICATE_KEY: ['is there twice', 'Only one of them could be used. Remove the other, or give it another name.'],
  TAB_AS_INDENT: ['a tab is used to indent', 'YAML is indented with spaces only.'],
  MULTIPLE_DOCS: [
    'there is more than one document in the file',
    'A configuration is one document: remove the lines `---` after its beginning, and put all plans below one `plans:`.',
  ],
  TAG_RESOLVE_FAILED: [
    'YAML tags are not supported',
    'Give a secret as { env: NAME } or { file: PATH }; for computed values use holdfast.config.ts.',
  ],
}

function syntaxError(error: YAMLError, text: string): HoldfastError {
  const [reason, fix] = fixes[error.code] ?? [reasonOf(error)]
  const key = /^[\w.-]+/.exec(text.slice(error.pos[0]))?.[0] ?? 'a key'
  return errors.CONFIG_SYNTAX({ reason: error.code === 'DUPLICATE_KEY' ? `the key "${key}" ${reason}` : reason, fix })
}

function positionOf(offset: number, lines: LineCounter, file: string): Position {
  const { line, col } = lines.linePos(offset)
  return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
}

function locateIn(document: Document, lines: LineCounter, file: string, yaml: typeof Yaml): Locate {
  const resolve = (node: unknown): unknown => (yaml.isAlias(node) ? node.resolve(document) : node)

  // A key that came in by a merge is found where it is written.
  function pairOf(node: unknown, key: string | number): Pair | undefined {
    const map = resolve(node)
    if (!yaml.isMap(map)) return undefined
    const named = map.items.find((pair) => String(yaml.isScalar(pair.key) ? pair.key.value : pair.key) === String(key))
    if (named !== undefined) return named
    for (const { key: name, value } of map.items) {
      if (!yaml.isScalar(name) || name.source !== '<<') continue
      const merged = resolve(value)
      for (const source of yaml.isSeq(merged) ? merged.items : [merged]) {
        const pair = pairOf(source, key)
        if (pair !== undefined) return pair
      }
    }
    return undefined
  }

  return (path: Path, part) => {
    let node: unknown = document.contents
    let start = startOf(node)
    for (const [index, key] of path.entries()) {
      const sequence = resolve(node)
      const pair = pairOf(node, key)
      const below = pair ? pair.value : yaml.isSeq(sequence) ? sequence.items[Number(key)] : undefined
      const ofKey = startOf(pair?.key)
      const last = index === path.length - 1
      // What is missing is missing from the nearest thing that is there.
      const found = last && part === 'key' ? (ofKey ?? startOf(below)) : (startOf(below) ?? ofKey)
      if (found === undefined) break
      start = found
      node = below
    }
    return start === undefined ? { file } : positionOf(start, lines, file)
  }
}

function startOf(node: unknown): number | undefined {
  return (node as Node | undefined)?.range?.[0]
}
