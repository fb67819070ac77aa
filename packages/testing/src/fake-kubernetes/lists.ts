import { groupVersionOf, type FakeKind } from './kinds.ts'
import type { ObjectStore, StoredObject } from './object-store.ts'
import { fieldSelector, labelSelector } from './selectors.ts'
import { StatusError, badRequest } from './status.ts'

/** Lists objects, page by page. */
export interface Lists {
  /** @throws StatusError 410 when the token of a page has expired */
  list(kind: FakeKind, namespace: string, query: URLSearchParams): unknown
  /** From now on lists that were begun can't be continued as they were. */
  expire(): void
}

/** What a token says: which state of the world, and after which object. Revision -1 is the newest. */
interface Token {
  readonly v: string
  readonly rv: number
  readonly start: string
}

/** Each page continues what the first one saw, as with a real server. */
export function createLists(store: ObjectStore): Lists {
  const snapshots = new Map<string, readonly StoredObject[]>()

  const begin = (kind: FakeKind, namespace: string, token: Token | undefined): readonly StoredObject[] => {
    const now = store.list(kind, namespace)
    if (!token || token.rv < 0) return now
    const snapshot = snapshots.get(snapshotKey(kind, namespace, token.rv))
    if (!snapshot) throw tooOld(token)
    return snapshot
  }

  return {
    list(kind, namespace, query) {
      const labels = query.get('labelSelector') ?? ''
      const fields = query.get('fieldSelector') ?? ''
      const limit = numberOf(query.get('limit') ?? '0')
      const token = readToken(query.get('continue') ?? '')
      const all = begin(kind, namespace, token)
      const revision = token && token.rv >= 0 ? token.rv : store.revision
      const left = select(kind, all, labels, fields).filter((each) => token === undefined || keyOf(each) >= token.start)
      const items = limit > 0 ? left.slice(0, limit) : left
      const last = items.at(-1)
      let more = {}
      if (last && items.length < left.length) {
        snapshots.set(snapshotKey(kind, namespace, revision), all)
        const count = labels === '' && fields === '' ? { remainingItemCount: left.length - items.length } : {}
        more = { continue: writeToken(revision, `${keyOf(last)}\0`), ...count }
      }
      return {
        kind: `${kind.kind}List`,
        apiVersion: groupVersionOf(kind),
        metadata: { resourceVersion: String(revision), ...more },
        // Items of a list don't say what they are: the list does.
        items: items.map((each) => ({ ...each, apiVersion: undefined, kind: undefined })),
      }
    },
    expire: () => snapshots.clear(),
  }
}

/** Those that both selectors mean. */
export function select(
  kind: FakeKind,
  objects: readonly StoredObject[],
  labels: string,
  fields: string,
): readonly StoredObject[] {
  const byLabel = labelSelector(labels)
  const byField = fieldSelector(kind, fields)
  return objects.filter((each) => byLabel(each) && byField(each))
}

function snapshotKey(kind: FakeKind, namespace: string, revision: number): string {
  return [groupVersionOf(kind), kind.resource, namespace, revision].join('/')
}

function keyOf({ metadata: { namespace = '', name } }: StoredObject): string {
  return `${namespace}/${name}`
}

function numberOf(text: string): number {
  if (!/^-?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`)
  return Number(text)
}

function writeToken(rv: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start })).toString('base64url')
}

function readToken(text: string): Token | undefined {
  if (text === '') return undefined
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as Token
  } catch {
    throw badRequest('invalid continue token: continue key is not valid: invalid character')
  }
}

function tooOld({ start }: Token): StatusError {
  return new StatusError(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
      'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
      'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
      'deleted between the time the first chunk was returned and now may show up in the list.',
    undefined,
    { continue: writeToken(-1, start) },
  )
}
