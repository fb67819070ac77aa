import { groupVersionOf, type FakeKind, type Kinds } from './kinds.ts'

/**
 * What kubectl needs of /openapi/v3 to leave the checking of fields to the server: which kinds there are, and that PATCH
 * takes `fieldValidation`. No schemas. `undefined` for any other path.
 */
export function openApi(path: string, { all }: Kinds): unknown {
  if (!path.startsWith('/openapi/v3')) return undefined
  const places = new Map(all.map((kind) => [placeOf(kind), kind]))
  if (path === '/openapi/v3') {
    const paths = [...places.keys()].map((place) => [place, { serverRelativeURL: `/openapi/v3/${place}?hash=0` }])
    return { paths: Object.fromEntries(paths) as unknown }
  }
  const members = all.filter((kind) => `/openapi/v3/${placeOf(kind)}` === path)
  if (members.length === 0) return undefined
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'fake' },
    paths: Object.fromEntries(
      members.map((kind) => [`/${placeOf(kind)}/${kind.resource}/{name}`, operations(kind)]),
    ) as unknown,
  }
}

function placeOf(kind: FakeKind): string {
  return `${kind.group === '' ? 'api' : 'apis'}/${groupVersionOf(kind)}`
}

function operations({ group, version, kind }: FakeKind): unknown {
  const parameter = { name: 'fieldValidation', in: 'query', schema: { type: 'string' } }
  return {
    patch: {
      parameters: [parameter],
      responses: {},
      'x-kubernetes-group-version-kind': { group, version, kind },
    },
  }
}
