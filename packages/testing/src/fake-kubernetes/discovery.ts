import { groupVersionOf, type FakeKind, type Kinds } from './kinds.ts'

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** What kubectl and clients ask for to learn what there is; `undefined` for any other path. */
export function discover(path: string, kinds: Kinds, version: string): unknown {
  switch (path) {
    case '/version':
      return versionBody(version)
    case '/api':
      return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }
    case '/apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(kinds) }
    default:
  }
  const [, group, groupVersion = path === '/api/v1' ? 'v1' : ''] =
    /^\/apis\/([^/]+)$|^\/apis\/([^/]+\/[^/]+)$/.exec(path) ?? []
  if (group !== undefined) return groupsOf(kinds).find(({ name }) => name === group)
  const members = kinds.all.filter((each) => groupVersionOf(each) === groupVersion)
  if (members.length === 0) return undefined
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: members.flatMap(resourcesOf) }
}

function groupsOf({ all }: Kinds): readonly { readonly name: string }[] {
  const names = new Set(all.map(({ group }) => group).filter((group) => group !== ''))
  return [...names].map((name) => {
    const versions = [...new Set(all.filter(({ group }) => group === name).map(groupVersionOf))].map(
      (groupVersion) => ({
        groupVersion,
        version: groupVersion.split('/')[1],
      }),
    )
    return { kind: 'APIGroup', apiVersion: 'v1', name, versions, preferredVersion: versions[0] }
  })
}

function resourcesOf(kind: FakeKind): readonly unknown[] {
  const { resource, namespaced, shortNames } = kind
  const main = {
    name: resource,
    singularName: kind.kind.toLowerCase(),
    namespaced,
    kind: kind.kind,
    verbs: kind.review === true ? ['create'] : verbs,
    ...(shortNames ? { shortNames } : {}),
  }
  if (resource !== 'pods') return [main]
  const exec = { name: 'pods/exec', singularName: '', namespaced, kind: 'PodExecOptions', verbs: ['create', 'get'] }
  return [main, exec]
}

function versionBody(version: string): unknown {
  const [major = '1', minor = '34'] = version.replace(/^v/, '').split('.')
  return {
    major,
    minor,
    gitVersion: `v${version}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
    goVersion: 'go1.24.0',
    compiler: 'gc',
    platform: 'linux/amd64',
  }
}
