import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { PluginNames } from './names.ts'

const template = join(import.meta.dirname, '../template')

/** Every identifier of the template: a factory of the same name would be another thing in the same place. */
export function identifiersOfTemplate(): ReadonlySet<string> {
  const code = readdirSync(template, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.endsWith('.ts'))
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'))
    .join('\n')
    .replaceAll(/\/\/.*|\/\*[\s\S]*?\*\/|'[^'\n]*'/g, '')
  return new Set(code.match(/[A-Za-z_$][\w$]*/g))
}

/**
 * Writes the files of a new plugin. Nothing is overwritten.
 *
 * @param directory - missing, or empty
 * @returns what was written, relative to the directory; `undefined` when there is something already
 */
export function writePlugin(names: PluginNames, directory: string): readonly string[] | undefined {
  if (existsSync(directory) && readdirSync(directory).length > 0) return undefined
  return readdirSync(template, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      const from = join(parentPath, name)
      // npm would leave a .gitignore out of the package, and take a package.json for one of its own.
      const path = renamed(relative(template, from), names)
        .replace(/^_gitignore$/, '.gitignore')
        .replace(/^_package/, 'package')
      const to = join(directory, path)
      mkdirSync(dirname(to), { recursive: true })
      writeFileSync(to, renamed(readFileSync(from, 'utf8'), names))
      return path
    })
    .toSorted()
}

/** The template is a plugin itself, called `template-plugin`. */
function renamed(text: string, names: PluginNames): string {
  return text
    .replaceAll('holdfast-plugin-template-plugin', names.package)
    .replaceAll('template-plugin', names.plugin)
    .replaceAll('templatePlugin', names.factory)
    .replaceAll('TemplatePlugin', names.type)
}
