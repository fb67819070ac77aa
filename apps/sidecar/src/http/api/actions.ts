import { isHoldfastError } from '@holdfast/sdk'
import { errors } from '../../errors.ts'
import type { PageRequest } from '../pages.ts'
import type { Actions } from '../../daemon/by-hand.ts'

/** What an action has to say. */
export interface ActionAnswer {
  readonly status: number
  readonly value: object
}

/** The body of a request is never longer. */
const mostBytes = 8192
const mostTargets = 100

/** Does what the path asks for. */
type Action = (byHand: Actions, name: string, request: PageRequest) => Promise<ActionAnswer>

const actions: Readonly<Record<string, Action>> = {
  async 'plans run'(byHand, plan, request) {
    const { targets } = await readBody(request)
    const { run, ended } = await byHand.run(plan, targets)
    return { status: 202, value: { plan, run, ...(ended && { status: ended }) } }
  },
  async 'plans pause'(byHand, plan) {
    byHand.pause(plan)
    return { status: 200, value: { plan, paused: 'hand' } }
  },
  async 'plans resume'(byHand, plan) {
    byHand.resume(plan)
    return { status: 200, value: { plan } }
  },
  async 'undos run'(byHand, undo) {
    const result = await byHand.undo(undo)
    return { status: result === 'running' ? 202 : 200, value: { undo, result } }
  },
}

/** What can be done, as paths. */
export const actionPaths: readonly string[] = [
  '/api/v1/plans/{plan}/run',
  '/api/v1/plans/{plan}/pause',
  '/api/v1/plans/{plan}/resume',
  '/api/v1/undos/{undo}/run',
]

/** The action of a path, which is split at its slashes; `undefined`: there is none. */
export function actionAt(
  parts: readonly string[],
): ((byHand: Actions, request: PageRequest) => Promise<ActionAnswer>) | undefined {
  const [kind, name, verb, ...more] = parts
  const key = `${kind} ${verb}`
  const found = Object.hasOwn(actions, key) ? actions[key] : undefined
  if (!found || name === undefined || more.length > 0) return undefined
  return (byHand, request) => found(byHand, name, request)
}

/** @throws HoldfastError `API_BODY` */
async function readBody(request: PageRequest): Promise<{ readonly targets: readonly string[] | undefined }> {
  let text: string
  try {
    text = (await request.body?.(mostBytes)) ?? ''
  } catch (error) {
    if (isHoldfastError(error)) throw error
    throw errors.API_BODY({ reason: `it did not arrive whole, or has more than ${mostBytes} bytes` }, { cause: error })
  }
  if (text.trim() === '') return { targets: undefined }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw errors.API_BODY({ reason: 'it is no JSON' }, { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw errors.API_BODY({ reason: 'it is no object' })
  }
  const unknown = Object.keys(value).find((key) => key !== 'targets')
  if (unknown !== undefined) throw errors.API_BODY({ reason: `there is no "${unknown}"` })
  const targets = (value as { readonly targets?: unknown }).targets
  if (targets === undefined) return { targets }
  const isList = Array.isArray(targets) && targets.every((target): target is string => typeof target === 'string')
  if (!isList || targets.length === 0 || targets.length > mostTargets) {
    throw errors.API_BODY({ reason: `"targets" must be a list of 1 to ${mostTargets} texts` })
  }
  return { targets }
}
