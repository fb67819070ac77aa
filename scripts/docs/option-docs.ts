import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../workspaces.ts'

/** An interface of the sources: what its properties say about themselves. */
interface Documented {
  readonly properties: ReadonlyMap<string, string>
}

/**
 * What the sources of a package say about options with these names: the comments of the interface that has all of them
 * and the fewest others.
 *
 * @param name - `@holdfast/plugin-benji`
 */
export function optionDocs(name: string, keys: readonly string[]): ReadonlyMap<string, string> {
  const fitting = interfacesOf(name).filter(({ properties }) => keys.every((key) => properties.has(key)))
  const [best] = fitting.toSorted((a, b) => a.properties.size - b.properties.size)
  return best?.properties ?? new Map()
}

const known = new Map<string, readonly Documented[]>()

function interfacesOf(name: string): readonly Documented[] {
  const folder = join(root, 'packages', name.replace('@holdfast/', ''), 'src')
  const found =
    known.get(name) ??
    globSync('**/*.ts', { cwd: folder }).flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/^(?:export )?interface \w+[^{]*\{\n(.*?)^\}/gms)].map(
        ([, body = '']) => ({ properties: propertiesOf(body) }),
      ),
    )
  known.set(name, found)
  return found
}

function propertiesOf(body: string): ReadonlyMap<string, string> {
  const properties = body.matchAll(/(?:^ {2}\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?^ {2}(?:readonly )?(\w+)\??:/gm)
  return new Map([...properties].map(([, comment = '', key = '']) => [key, sentenceOf(comment)]))
}

function sentenceOf(comment: string): string {
  const text = comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trim())
    .join(' ')
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .trim()
  const [what = '', given] = text.split(/\s*@defaultValue\s*/)
  return given === undefined ? what : `${what} Default: ${given}.`.replace(/\.+$/, '.').trim()
}
