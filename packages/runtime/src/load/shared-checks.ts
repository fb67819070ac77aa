import { errors } from '../errors.ts'
import { placeholdersOf } from '../notify/template.ts'
import { isPlainObject } from './plain-object.ts'
import type { Problems } from './problems.ts'
import type { ResolvedConfig } from './resolved.ts'

/** Placeholders that tell plans apart. */
const telling: ReadonlySet<string> = new Set(['plan', 'drill', 'name'])

/** Warns of checks that several plans and drills would ping: the success of one hides the failure of another. */
export function warnSharedChecks(
  { notify, plans, drills }: Pick<ResolvedConfig, 'notify' | 'plans' | 'drills'>,
  problems: Pick<Problems, 'warn'>,
): void {
  const sharing = [...plans, ...drills].filter((each) => each.notify === notify).map(({ name }) => name)
  if (sharing.length < 2) return
  for (const [index, { kind, name, config }] of notify.entries()) {
    const path = isPlainObject(config) && typeof config['path'] === 'string' ? config['path'] : ''
    if (kind !== 'ping' || placeholdersOf(path).some((each) => telling.has(each))) continue
    problems.warn(errors.NOTIFIER_SHARED({ name, sharing: sharing.join(', ') }), { path: ['notify', index] })
  }
}
