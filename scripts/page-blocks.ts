import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './workspaces.ts'

/** Blocks of a page that are to be run: what follows `<!-- run: NAME -->`, by its name. */
export function runnableBlocks(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(root, page), 'utf8')
  const found = text.matchAll(/^<!-- run: ([\w-]+) -->\n+```sh\n(.*?)^```$/gms)
  return new Map([...found].map(([, name = '', code = '']) => [name, code]))
}

/** Commands in a table whose first column is code and whose second is a command: by what is in the first. */
export function tableCommands(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(root, page), 'utf8')
  const rows = text.matchAll(/^\| `([^`]+)` +\| `(.+)` +\|$/gm)
  return new Map([...rows].map(([, key = '', command = '']) => [key, command.replaceAll(String.raw`\|`, '|')]))
}
