import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './workspaces.ts'

/** A block of code in a page. */
export interface PageBlock {
  /** Where it begins. */
  readonly line: number
  /** Empty where none is named. */
  readonly language: string
  /** The comment before it. */
  readonly said: string | undefined
  /** Without the indentation of the list that it is in. */
  readonly text: string
}

/** The blocks of a page, each with what the comment before it says: `<!-- run: NAME -->`, say. */
export function blocksOf(page: string): readonly PageBlock[] {
  const found = page.matchAll(/(?:^ *<!-- ([^\n]+) -->\n+)?^( *)```(\w*)\n(.*?)^\2```$/gms)
  return [...found].map(({ index, 1: said, 2: indent = '', 3: language = '', 4: text = '' }) => ({
    line: page.slice(0, page.indexOf('```', index)).split('\n').length,
    language,
    said,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }))
}

/** Blocks of a page that are to be run: what follows `<!-- run: NAME -->`, by its name. */
export function runnableBlocks(page: string): ReadonlyMap<string, string> {
  const named = blocksOf(readFileSync(join(root, page), 'utf8')).flatMap(({ said, text }): [string, string][] => {
    const name = nameOf(said)
    return name === undefined ? [] : [[name, text]]
  })
  return new Map(named)
}

/** One of the {@link runnableBlocks} of a page, which has to be there. */
export function blockOf(page: string, name: string): string {
  const text = runnableBlocks(page).get(name)
  if (text === undefined) throw new Error(`${page} has no block "${name}" any more`)
  return text
}

/** The name in `run: NAME`. */
export function nameOf(said: string | undefined): string | undefined {
  return /^run: ([\w-]+)$/.exec(said ?? '')?.[1]
}

/** Commands in a table whose first column is code and whose second is a command: by what is in the first. */
export function tableCommands(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(root, page), 'utf8')
  const rows = text.matchAll(/^\| `([^`]+)` +\| `(.+)` +\|$/gm)
  return new Map([...rows].map(([, key = '', command = '']) => [key, command.replaceAll(String.raw`\|`, '|')]))
}
