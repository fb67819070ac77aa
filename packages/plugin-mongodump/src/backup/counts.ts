import type { Json } from '@holdfast/sdk'
import { namespaceOf, type ArchivedCollection } from '../archive/summary.ts'
import type { MongodumpConfig } from '../options.ts'
import type { CountRequest, MongoServer, ServerCollection } from '../server/mongo-server.ts'
import { isDumped, type Scope } from './scope.ts'

/** The collections of a server and how many documents they have, before a dump or after it. */
export interface Inventory {
  /** Those that mongodump dumps. */
  readonly collections: readonly ServerCollection[]
  /** By namespace; what can't be counted is missing. */
  readonly counts: ReadonlyMap<string, number>
}

/** Takes an inventory of what a dump is of. */
export async function takeInventory(
  server: MongoServer,
  scope: Scope & Pick<MongodumpConfig, 'query'>,
): Promise<Inventory> {
  const all = await server.collections(scope.database)
  const collections = all.filter((each) => isDumped(each, scope))
  const countable = collections.filter(isCountable)
  const numbers = await server.counts(countable.map((each) => request(each, scope.query)))
  const counts = new Map<string, number>()
  for (const [index, each] of countable.entries()) {
    const number = numbers[index]
    if (number !== undefined) counts.set(namespaceOf(each), number)
  }
  return { collections, counts }
}

/** A view has no documents of its own, and what is stored of a time series are buckets. */
function isCountable({ type }: { readonly type: string }): boolean {
  return type !== 'view' && type !== 'timeseries'
}

function isInternal({ database }: { readonly database: string }): boolean {
  return database === 'admin' || database === 'config'
}

function request(
  { database, collection }: ServerCollection,
  query: Readonly<Record<string, Json>> | undefined,
  exact = false,
): CountRequest {
  return { database, collection, query, exact }
}

/** A collection whose documents are not as many as the server had. */
export interface Difference {
  readonly namespace: string
  /** In the dump; `undefined` when it isn't there. */
  readonly dumped: number | undefined
  readonly before: number | undefined
  readonly after: number | undefined
}

/** How a dump compares with its server. It goes into the manifest. */
export interface Comparison {
  /** Collections whose documents were counted on both sides. */
  readonly counted: number
  /** What could not be counted: views, time series, what appeared or went meanwhile, what may not be read. */
  readonly uncounted: readonly string[]
  readonly differences: readonly Difference[]
}

/** Options of {@link compare}. */
export interface CompareOptions {
  readonly server: MongoServer
  readonly dumped: readonly ArchivedCollection[]
  readonly before: Inventory
  readonly after: Inventory
  readonly query?: Readonly<Record<string, Json>> | undefined
  /** Share of the documents. */
  readonly tolerance: number
}

/**
 * Compares a dump with its server. The server was at work meanwhile, so a number is right when it lies between what was there
 * before and after. What isn't right by the server's own bookkeeping, which is wrong at times after it was killed, is counted
 * document by document before anybody is alarmed.
 */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const { server, dumped, before, after, query, tolerance } = options
  const inDump = new Map(dumped.map((each) => [namespaceOf(each), each]))
  const stayed = new Set(after.collections.map(namespaceOf))
  const known = new Map(before.collections.map((each) => [namespaceOf(each), each]))
  const suspects: Difference[] = []
  const uncounted: string[] = []
  let counted = 0
  for (const [namespace, collection] of known) {
    const archived = inDump.get(namespace)
    const numbers = [before.counts.get(namespace), after.counts.get(namespace)] as const
    if (!archived) {
      // What belongs to the server itself, each mongodump chooses by rules of its own.
      if (isInternal(collection)) uncounted.push(namespace)
      else if (stayed.has(namespace))
        suspects.push({ namespace, dumped: undefined, before: numbers[0], after: numbers[1] })
    } else if (!isCountable(collection) || numbers[0] === undefined || numbers[1] === undefined) {
      uncounted.push(namespace)
    } else {
      counted++
      const { documents } = archived
      if (!isWithin(documents, numbers as readonly number[], tolerance)) {
        suspects.push({ namespace, dumped: documents, before: numbers[0], after: numbers[1] })
      }
    }
  }
  uncounted.push(...[...inDump.keys()].filter((namespace) => !known.has(namespace)))
  const exact = await server.counts(suspects.map(({ namespace }) => exactRequest(known, namespace, query)))
  const differences = suspects.filter(({ dumped: documents, before: first, after: last }, index) => {
    const number = exact[index]
    if (documents === undefined || number === undefined) return true
    return !isWithin(documents, [first ?? number, last ?? number, number], tolerance)
  })
  return { counted, uncounted, differences }
}

function exactRequest(
  known: ReadonlyMap<string, ServerCollection>,
  namespace: string,
  query: Readonly<Record<string, Json>> | undefined,
): CountRequest {
  return request(known.get(namespace) as ServerCollection, query, true)
}

function isWithin(documents: number, numbers: readonly number[], tolerance: number): boolean {
  const least = Math.min(...numbers)
  const most = Math.max(...numbers)
  const slack = Math.ceil(most * tolerance)
  return documents >= least - slack && documents <= most + slack
}

/** For people: at most three. */
export function describeDifferences(differences: readonly Difference[]): string {
  const lines = differences.slice(0, 3).map(({ namespace, dumped, before, after }) => {
    const had = before === after ? `${before}` : `${before} to ${after}`
    return dumped === undefined
      ? `${namespace} is missing`
      : `${namespace} has ${dumped} documents, the server had ${had}`
  })
  const more = differences.length - lines.length
  return more > 0 ? `${lines.join('; ')}; and ${more} more` : lines.join('; ')
}
