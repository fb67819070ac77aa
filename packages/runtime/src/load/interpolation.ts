import { errors } from '../errors.ts'
import { formatPath, type Path, type Problems } from './problems.ts'

/**
 * Says so where somebody expects `${NAME}` to be replaced. Options of plugins may mean it literally (a shell's variable),
 * so there it is a warning.
 */
export function checkInterpolation(value: unknown, problems: Pick<Problems, 'add' | 'warn'>, path: Path = []): void {
  if (typeof value === 'string') {
    const text = /\$\{[^}]*\}/.exec(value)?.[0]
    if (text === undefined) return
    const error = errors.CONFIG_INTERPOLATION({ path: formatPath(path), text })
    // plans, the plan, use, its position, module#export, …
    if (path[2] === 'use' && path.length > 5) problems.warn(error, { path })
    else problems.add(error, { path })
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, below] of Object.entries(value)) {
      checkInterpolation(below, problems, [...path, Array.isArray(value) ? Number(key) : key])
    }
  }
}
