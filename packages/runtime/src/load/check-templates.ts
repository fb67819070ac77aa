import { errors } from '../errors.ts'
import { placeholders, placeholdersOf } from '../notify/template.ts'
import { suggest } from './did-you-mean.ts'
import { formatPath, type Path, type Problems } from './problems.ts'

/** Something that may have templates in it, and where it is. */
export interface Templated {
  readonly value: unknown
  readonly path: Path
}

/**
 * Checks every text of these: a misspelt placeholder would be found when something has failed, at night.
 *
 * @returns whether they are right; what is wrong is among the problems
 */
export function checkTemplates(
  templates: readonly Templated[],
  { errorTexts }: { readonly errorTexts: boolean },
  problems: Pick<Problems, 'add'>,
): boolean {
  const texts = templates.flatMap(textsIn)
  const wrong = texts.flatMap(({ text, path }) => {
    const names = placeholdersOf(text)
    const unknown = names.find((name) => !placeholders.includes(name))
    const known = placeholders.map((name) => `{${name}}`).join(' ')
    if (unknown !== undefined) {
      const fix = `${suggest(unknown, placeholders)}There are ${known}; {{ and }} are braces.`
      return [{ path, reason: `contains {${unknown}}, which stands for nothing`, fix }]
    }
    if (errorTexts || !names.includes('error')) return []
    const fix = 'Texts of errors may quote what should not leave your cluster. {code} is always there.'
    return [{ path, reason: 'contains {error}, which needs `errorTexts: true` beside it', fix }]
  })
  for (const { path, reason, fix } of wrong) {
    problems.add(errors.CONFIG_VALUE({ path: formatPath(path), reason, fix }), { path })
  }
  return wrong.length === 0
}

function textsIn({ value, path }: Templated): readonly { readonly text: string; readonly path: Path }[] {
  if (typeof value === 'string') return [{ text: value, path }]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, below]: [string, unknown]) =>
    textsIn({ value: below, path: [...path, Array.isArray(value) ? Number(key) : key] }),
  )
}
