import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
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
    "# Generated from what the engine and its plugins ask for by `npm run docs`. Everything is in the release's namespace.\n"
  return head + stringify(Object.fromEntries(Object.entries(parts).map(([name, some]) => [name, rulesFor(some)])))
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
