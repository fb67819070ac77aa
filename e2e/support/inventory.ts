// Everything that there is in a namespace, of whatever kind.
import { kubectl, waitFor } from './kubectl.ts'

let types: Promise<string> | undefined

interface Listed {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly ownerReferences?: readonly object[] }
}

/** All objects of a namespace but Events, which nobody owns and which expire. */
async function everything(namespace: string): Promise<readonly Listed[]> {
  types ??= kubectl(['api-resources', '--namespaced', '--verbs', 'list', '--output', 'name'])
  const all = (await types).trim().split('\n').join(',')
  const { items } = JSON.parse(await kubectl(['-n', namespace, 'get', all, '-o', 'json'])) as {
    readonly items: readonly Listed[]
  }
  return items.filter(({ kind }) => kind !== 'Event')
}

const nameOf = ({ kind, metadata }: Listed): string => `${kind}/${metadata.name}`

/** All objects of a namespace, as `Kind/name`. */
export async function inventory(namespace: string): Promise<readonly string[]> {
  return (await everything(namespace)).map(nameOf).toSorted()
}

/** What there is beside what was there before, when all that goes with something else has gone. */
export async function leftovers(namespace: string, before: readonly string[]): Promise<readonly string[]> {
  const left = await waitFor('what was owned to be gone', async () => {
    const found = (await everything(namespace)).filter((each) => !before.includes(nameOf(each)))
    return found.every(({ metadata }) => metadata.ownerReferences === undefined) && found
  })
  return left.map(nameOf).toSorted()
}
