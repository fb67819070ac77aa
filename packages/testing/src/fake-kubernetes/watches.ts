import type { ServerResponse } from 'node:http'
import { groupVersionOf, type FakeKind } from './kinds.ts'
import { sameStorage, type Change, type ObjectStore, type StoredObject } from './object-store.ts'
import { fieldSelector, labelSelector } from './selectors.ts'
import { gone } from './status.ts'

/** A watch: what is there, then what changes, one JSON text per line, until the client or its deadline ends it. */
export function watch(
  store: ObjectStore,
  kind: FakeKind,
  namespace: string,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const byLabel = labelSelector(query.get('labelSelector') ?? '')
  const byField = fieldSelector(kind, query.get('fieldSelector') ?? '')
  const matches = (object: StoredObject): boolean => byLabel(object) && byField(object)
  const from = query.get('resourceVersion') ?? ''

  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  const send = (type: string, object: unknown): void => void response.write(`${JSON.stringify({ type, object })}\n`)
  const report = (change: Change): void => {
    if (!sameStorage(change.kind, kind)) return
    if (namespace !== '' && change.object.metadata.namespace !== namespace) return
    const was = change.before !== undefined && matches(change.before)
    const is = change.type !== 'DELETED' && matches(change.object)
    const object = { ...change.object, apiVersion: groupVersionOf(kind) }
    if (is) send(was ? 'MODIFIED' : 'ADDED', object)
    else if (was) send('DELETED', object)
  }

  if (from === '' || from === '0') {
    for (const object of store.list(kind, namespace).filter(matches)) send('ADDED', object)
  } else {
    const missed = store.since(Number(from))
    if (!missed) {
      send('ERROR', gone(`too old resource version: ${from} (${store.revision})`).body)
      response.end()
      return
    }
    for (const change of missed) report(change)
  }
  const stop = store.subscribe(report)
  const seconds = Number(query.get('timeoutSeconds') ?? 0)
  const timer = seconds > 0 ? setTimeout(() => response.end(), seconds * 1000) : undefined
  response.once('close', () => {
    stop()
    clearTimeout(timer)
  })
}
