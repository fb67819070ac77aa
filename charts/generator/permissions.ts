import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { permissionsFor as permissionsForVolumes } from '../../packages/plugin-benji/src/discovery/permissions.ts'
import { permissionsFor } from '../../packages/plugin-scripts/src/permissions.ts'
import { enginePermissions } from '../../packages/runtime/src/kubernetes/permissions.ts'

type Permissions = ReturnType<typeof enginePermissions>

/** The rules for what the engine and scripts need, by what makes them need it: `files/permissions.yaml`. */
export function permissionsFile(): string {
  const always = enginePermissions({ replicas: 'each', undoMirror: false })
  const parts = {
    always,
    undoMirror: without(enginePermissions({ replicas: 'each', undoMirror: true }), always),
    leader: without(enginePermissions({ replicas: 'leader', undoMirror: false }), always),
    kubectlexec: kubectlexecPermissions(),
  }
  const head =
    "# Generated from what the engine and its plugins ask for by `npm run docs`. Everything is in the release's namespace,\n" +
    '# but for what is below benji.\n'
  const rules = Object.entries(parts).map(([name, some]) => [name, rulesFor(some)] as const)
  return head + stringify({ ...Object.fromEntries(rules), benji: benjiRules() }, { aliasDuplicateObjects: false })
}

/** By where they apply: in the whole cluster, or in a namespace. */
function benjiRules(): Readonly<Record<string, object>> {
  const all = { all: true }
  const always = permissionsForVolumes({ ...all, freeze: { mode: 'never' } })
  const freezing = without(permissionsForVolumes(all), always)
  const isWide = ({ scope }: Permissions[number]): boolean => scope === 'cluster'
  return {
    cluster: always.map(readingRule),
    // They say whether a claim is mounted, and on which node.
    pods: freezing.filter(isWide).map(readingRule),
    agent: rulesFor(freezing.filter((each) => !isWide(each))),
    storageClasses: [{ apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: reading }],
    restore: [{ apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['create', 'delete'] }],
  }
}

// As Benji's own ClusterRole has it: whoever may list may know all that `watch` tells.
const reading = ['get', 'list', 'watch']

function readingRule({ apiGroup, resource, verbs }: Permissions[number]): object {
  return { apiGroups: [apiGroup], resources: [resource], verbs: verbs.includes('list') ? reading : verbs }
}

// They depend on what scripts call, so it takes a script.
function kubectlexecPermissions(): Permissions {
  const path = mkdtempSync(join(tmpdir(), 'scripts-'))
  try {
    mkdirSync(join(path, 'backups'))
    writeFileSync(join(path, 'backups/10-dump'), 'kubectlexec pg_dump')
    return permissionsFor({ path })
  } finally {
    rmSync(path, { recursive: true })
  }
}

function without(permissions: Permissions, others: Permissions): Permissions {
  const known = new Set(others.map((each) => JSON.stringify(each)))
  return permissions.filter((each) => !known.has(JSON.stringify(each)))
}

function rulesFor(permissions: Permissions): readonly object[] {
  return permissions.map(({ apiGroup, resource, verbs, scope }) => {
    if (scope !== 'namespace') throw new Error(`${resource}: the chart has no ClusterRole for what the engine needs`)
    return { apiGroups: [apiGroup], resources: [resource], verbs }
  })
}
