// What an account may do, verb by verb: each can be taken away, and is known to be gone.
import { getObject, kubectl, run, succeed, waitFor } from './kubectl.ts'

/** A rule of a Role. */
interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

/** A Role. */
export interface Role {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly rules: readonly Rule[]
}

/** One verb of one rule. */
export interface Grant {
  readonly verb: string
  readonly apiGroup: string
  readonly resource: string
  /** Where the rule is about one object only. */
  readonly name: string | undefined
}

/** Every verb of every rule. */
export function grantsOf({ rules }: Role): readonly Grant[] {
  return rules.flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
    apiGroups.flatMap((apiGroup) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) => verbs.map((verb) => ({ verb, apiGroup, resource, name }))),
      ),
    ),
  )
}

/** Takes one verb away from an account, and gives all others back; returns when that is in force. */
export async function revoke(role: Role, { verb, resource, name }: Grant, account: string): Promise<void> {
  const rules = role.rules
    .map((each) =>
      isAbout(each, resource, name) ? { ...each, verbs: each.verbs.filter((one) => one !== verb) } : each,
    )
    .filter(({ verbs }) => verbs.length > 0)
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify({ ...role, rules }) })
  await waitUntil(role, { verb, resource, name }, account, 'no')
}

/** Gives everything back; returns when that is in force. */
export async function restore(role: Role, account: string): Promise<void> {
  const { name, namespace } = role.metadata
  const before = await getObject<{ rules: readonly Rule[] }>('role', name, namespace)
  const had = new Set(grantsOf({ ...role, rules: before?.rules ?? [] }).map((grant) => JSON.stringify(grant)))
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(role) })
  // The authorizer takes a Role as a whole: with one of its verbs, all are there.
  const missing = grantsOf(role).find((grant) => !had.has(JSON.stringify(grant)))
  if (missing) await waitUntil(role, missing, account, 'yes')
}

/** Whether an account may do something in its namespace. */
export async function may(
  { verb, resource, name }: Pick<Grant, 'verb' | 'resource'> & Partial<Grant>,
  account: string,
  namespace: string,
): Promise<'yes' | 'no'> {
  const [type = '', subresource] = resource.split('/')
  const of = name === undefined ? type : `${type}/${name}`
  const sub = subresource === undefined ? [] : [`--subresource=${subresource}`]
  const as = `--as=system:serviceaccount:${namespace}:${account}`
  const { stdout } = await run('kubectl', ['-n', namespace, 'auth', 'can-i', verb, of, ...sub, as])
  return stdout.trim() === 'yes' ? 'yes' : 'no'
}

function isAbout({ resources, resourceNames }: Rule, resource: string, name: string | undefined): boolean {
  return resources.includes(resource) && resourceNames?.[0] === name
}

async function waitUntil(
  { metadata: { namespace } }: Role,
  grant: Pick<Grant, 'verb' | 'resource' | 'name'>,
  account: string,
  answer: 'yes' | 'no',
): Promise<void> {
  const what = `"${grant.verb} ${grant.resource}" to be answered with ${answer}`
  await waitFor(what, async () => (await may(grant, account, namespace)) === answer, 20)
}

/** A kubeconfig of an account, as JSON, which is YAML. */
export async function kubeconfigOf(account: string, namespace: string): Promise<string> {
  const token = await succeed('kubectl', ['-n', namespace, 'create', 'token', account])
  const config = JSON.parse(await kubectl(['config', 'view', '--raw', '-o', 'json'])) as {
    clusters: [{ name: string }]
  }
  const [{ name: cluster }] = config.clusters
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: config.clusters,
    users: [{ name: account, user: { token: token.trim() } }],
    contexts: [{ name: account, context: { cluster, user: account, namespace } }],
    'current-context': account,
  })
}
