import type { Access, AccessRequest } from './access.ts'
import { groupVersionOf, type FakeKind } from './kinds.ts'
import { badRequest, invalid } from './status.ts'

interface Asked {
  readonly spec?: {
    readonly namespace?: string
    readonly resourceAttributes?: Partial<AccessRequest>
    readonly nonResourceAttributes?: unknown
  }
}

/** Answers the reviews that say what one may do, and who one is. */
export function review(access: Access, kind: FakeKind, body: unknown): unknown {
  const { spec } = (body ?? {}) as Asked
  const answer = (status: unknown): unknown => {
    const head = { kind: kind.kind, apiVersion: groupVersionOf(kind), metadata: {} }
    return { ...head, ...(spec ? { spec } : {}), status }
  }
  switch (kind.resource) {
    case 'selfsubjectaccessreviews': {
      // Other paths than those of resources are not guarded here.
      if (spec?.nonResourceAttributes !== undefined) return answer({ allowed: true })
      if (!spec?.resourceAttributes) throw nothingAsked()
      const {
        verb = '',
        group = '',
        resource = '',
        subresource = '',
        namespace = '',
        name = '',
      } = spec.resourceAttributes
      return answer({ allowed: access.allows({ verb, group, resource, subresource, namespace, name }) })
    }
    case 'selfsubjectrulesreviews': {
      const { rules, incomplete } = access.rules(spec?.namespace ?? '')
      return answer({ resourceRules: rules, nonResourceRules: [], incomplete })
    }
    case 'selfsubjectreviews':
      return answer({ userInfo: { username: access.user, groups: ['system:authenticated'] } })
    default:
      throw badRequest(`the fake server can't answer ${kind.resource}`)
  }
}

function nothingAsked(): Error {
  const message = 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified'
  const problem = { field: 'spec.resourceAttributes', reason: 'FieldValueInvalid', message } as const
  return invalid({ group: 'authorization.k8s.io', kind: '' }, '', [problem])
}
