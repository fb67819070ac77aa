import { errors } from '../errors.ts'
import type { HoldfastError } from '@holdfast/sdk'

// What Kubernetes allows as a label's value, and what every store allows in a key.
const planName = /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/
const participantName = /^[A-Za-z0-9][\w.@/-]{0,99}$/

/** Whether a plan or an installation may have this name, and if not, the error. */
export function checkPlanName(what: string, name: string): HoldfastError | undefined {
  if (planName.test(name)) return undefined
  const rule = 'at most 63 letters, digits, and ". _ -", a letter or digit first and last'
  const better = name
    .replaceAll(/[^\w.-]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
  const suggestion = better === '' ? '' : `"${better}" would do. `
  return errors.NAME_INVALID({ what, name, suggestion, rule })
}

/** Whether a plugin's instance or a hook module may have this name, and if not, the error. */
export function checkParticipantName(name: string): HoldfastError | undefined {
  if (participantName.test(name)) return undefined
  const rule = 'at most 100 letters, digits, and ". _ - @ /", a letter or digit first'
  const suggestion =
    'Give it another: plugin(options, { name }), defineHook(…, { name }), or `name:` beside it in YAML. '
  return errors.NAME_INVALID({ what: 'what a plan uses', name, suggestion, rule })
}
