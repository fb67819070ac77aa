import type { Access } from './access.ts'
import { badRequest } from './status.ts'

interface ResourceAttributes {
  readonly namespace?: string
  readonly verb?: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly name?: string
}

/** Answers the reviews that say what one may do, and who one is. */
export function review(access: Access, resource: string, body: unknown): unknown {
  const asked = body as {
    readonly spec?: { readonly resourceAttributes?: ResourceAttributes; readonly namespace?: string }
  }
  const answer = (status: unknown): unknown => ({ ...(body as object), metadata: {}, status })
  switch (resource) {
    case 'selfsubjectaccessreviews': {
      const attributes = asked.spec?.resourceAttributes
      // Other paths than those of resources are not guarded here.
      if (!attributes) return answer({ allowed: true })
      const { verb = '', group = '', resource: of = '', subresource = '', namespace = '', name = '' } = attributes
      return answer({ allowed: access.allows({ verb, group, resource: of, subresource, namespace, name }) })
    }
    case 'selfsubjectrulesreviews': {
      const { rules, incomplete } = access.rules(asked.spec?.namespace ?? '')
      return answer({ resourceRules: rules, nonResourceRules: [], incomplete })
    }
    case 'selfsubjectreviews':
      return answer({ userInfo: { username: access.user, groups: ['system:authenticated'] } })
    default:
      throw badRequest(`the fake server can't answer ${resource}`)
  }
}
