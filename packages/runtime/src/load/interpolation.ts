import { errors } from '../errors.ts'
import { formatPath, type Path, type Problems } from './problems.ts'

/**
 * Says so where somebody expects `${NAME}` to be replaced. Options of plugins may mean it literally (a shell's variable),
 * so there it is a warning.
 */
export function checkInterpolation(value: unknown, problems: Pick<Problems, 'add' | 'warn'>): void {
  // One path for all: a large configuration has many values and no interpolation.
  visit(value, [], (path, text) => {
    const error = errors.CONFIG_INTERPOLATION({ path: formatPath(path), text })
    // plans, the plan, use, its position, module#export, …
    if (path[2] === 'use' && path.length > 5) problems.warn(error, { path })
    else problems.add(error, { path })
  })
}

function visit(value: unknown, path: (string | number)[], found: (path: Path, text: string) => void): void {
  if (typeof value === 'string') {
    const text = value.includes('${') ? /\$\{[^}]*\}/.exec(value)?.[0] : undefined
    if (text !== undefined) found([...path], text)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, below] of Object.entries(value)) {
      path.push(Array.isArray(value) ? Number(key) : key)
      visit(below, path, found)
      path.pop()
    }
  }
}
