import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { permissionsFor as permissionsForVolumes } from '../../packages/plugin-benji/src/discovery/permissions.ts'
import { permissionsOf as permissionsForMongodump } from '../../packages/plugin-mongodump/src/place.ts'
import { permissionsFor as permissionsForScripts } from '../../packages/plugin-scripts/src/permissions.ts'
import { enginePermissions } from '../../packages/runtime/src/kubernetes/permissions.ts'
import type { Permission } from '../../packages/sdk/src/index.ts'

/** `docs/reference/permissions.md`: what is asked of the API server, by what makes it necessary. */
export function renderPermissions(): string {
  const always = enginePermissions({ replicas: 'each', undoMirror: false })
  const benji = { all: true }
  const reading = permissionsForVolumes({ ...benji, freeze: { mode: 'never' } })
  const parts: readonly (readonly [title: string, about: string, permissions: readonly Permission[]])[] = [
    ['Holdfast itself', "Always, in a cluster. Without them it runs, and says what it can't do.", always],
    [
      'Undos that survive the pod',
      'Unless the configuration says `undoMirror: off`.',
      without(enginePermissions({ replicas: 'each', undoMirror: true }), always),
    ],
    [
      'One of several pods schedules',
      'With `replicas: leader`. With the Lease that the chart or the generator makes, for that one only.',
      without(enginePermissions({ replicas: 'leader', undoMirror: false }), always),
    ],
    ['Scripts that name `kubectlexec`', 'And no others.', permissionsForScriptsWithExec()],
    [
      'MongoDB, dumped in its container',
      'With `where: { container }`; where a `selector` finds the pod, `list` as well.',
      permissionsForMongodump({ container: 'mongodb', selector: 'app=mongodb' }),
    ],
    ['Ceph volumes', 'For `benjiBackup` with claims.', reading],
    [
      'Ceph volumes that are frozen',
      'Unless `freeze.mode` is `never`.',
      without(permissionsForVolumes(benji), reading),
    ],
  ]
  return `# Permissions

<!-- Generated from what the engine and its plugins declare by \`npm run docs\`. -->

What Holdfast asks of the API server. Nobody has to copy it: \`holdfast generate rbac\` prints the least Role for a configuration, the
[generator](../generate.md) and the [chart](../../charts/holdfast/README.md) write it, and start-up, \`holdfast validate\` and
\`holdfast doctor\` name what is missing, with the rule that grants it.

Hooks and plugins of yours declare theirs: [how](../hooks.md#a-dump-from-another-container). Without a service account everything works
that needs no API. [What a right is worth to an attacker](../../SECURITY.md#what-holdfast-trusts-and-what-it-doesnt).

${parts.map(renderPart).join('\n\n')}
`
}

function renderPart([title, about, permissions]: readonly [string, string, readonly Permission[]]): string {
  const rows = permissions.map(({ apiGroup, resource, verbs, scope, why }) => {
    const name = apiGroup === '' ? resource : `${resource}.${apiGroup}`
    return `| \`${name}\` | ${verbs.join(', ')} | ${scope} | ${why} |`
  })
  return `## ${title}\n\n${about}\n\n| resource | verbs | where | why |\n| --- | --- | --- | --- |\n${rows.join('\n')}`
}

/** They depend on what scripts call, so it takes a script. */
function permissionsForScriptsWithExec(): readonly Permission[] {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-scripts-'))
  try {
    mkdirSync(join(path, 'backups'))
    writeFileSync(join(path, 'backups/10-dump'), 'kubectlexec pg_dump')
    return permissionsForScripts({ path })
  } finally {
    rmSync(path, { recursive: true })
  }
}

function without(all: readonly Permission[], others: readonly Permission[]): readonly Permission[] {
  const text = new Set(others.map((each) => JSON.stringify(each)))
  return all.filter((each) => !text.has(JSON.stringify(each)))
}
