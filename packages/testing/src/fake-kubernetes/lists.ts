import { groupVersionOf, type FakeKind } from './kinds.ts'
import type { ObjectStore, StoredObject } from './object-store.ts'
import { fieldSelector, labelSelector } from './selectors.ts'
import { badRequest, gone, type StatusError } from './status.ts'

/** Lists objects, page by page. */
export interface Lists {
  /** @throws StatusError 410 when the token of a page has expired */
  list(kind: FakeKind, namespace: string, query: URLSearchParams): unknown
  /** From now on pages that were begun can't be continued. */
  expire(): void
}

interface Begun {
  readonly revision: number
  readonly rest: readonly StoredObject[]
}

/** Each page continues what the first one saw, as with a real server. */
export function createLists(store: ObjectStore): Lists {
  const begun = new Map<string, Begun>()
  let next = 0

  return {
    list(kind, namespace, query) {
      const labels = query.get('labelSelector') ?? ''
      const fields = query.get('fieldSelector') ?? ''
      const limit = Number(query.get('limit') ?? 0)
      const token = query.get('continue') ?? ''
      const revision = token === '' ? store.revision : (begun.get(token)?.revision ?? 0)
      const all = token === '' ? select(store.list(kind, namespace), labels, fields) : begun.get(token)?.rest
      if (!all) throw token.startsWith(tokenPrefix) ? tooOld() : badRequest('continue key is not valid')
      const items = limit > 0 ? all.slice(0, limit) : all
      const rest = all.slice(items.length)
      let more = {}
      if (rest.length > 0) {
        const id = `${tokenPrefix}${Buffer.from(String(++next)).toString('base64url')}`
        begun.set(id, { revision, rest })
        more = { continue: id, ...(labels === '' && fields === '' ? { remainingItemCount: rest.length } : {}) }
      }
      return {
        kind: `${kind.kind}List`,
        apiVersion: groupVersionOf(kind),
        metadata: { resourceVersion: String(revision), ...more },
        items,
      }
    },
    expire: () => begun.clear(),
  }
}

const tokenPrefix = 'eyJ2IjoibWV0YS5rOHMuaW8vdjEi'

/** Those that both selectors mean. */
export function select(objects: readonly StoredObject[], labels: string, fields: string): readonly StoredObject[] {
  const byLabel = labelSelector(labels)
  const byField = fieldSelector(fields)
  return objects.filter((each) => byLabel(each) && byField(each))
}

function tooOld(): StatusError {
  return gone(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
      'the continue parameter.',
  )
}
