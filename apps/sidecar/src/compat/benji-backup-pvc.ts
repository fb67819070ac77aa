// `benji-backup-pvc`, as users of Benji's Kubernetes tools know it, on Holdfast's engine.
import type { Plan } from '@holdfast/sdk'
import { discoverTargets } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { withInspectingEngine } from '../inspection.ts'
import type { Io } from '../io.ts'
import { backupOptions, parseBackupPvcOptions, type BackupPvcOptions } from './benji-backup-pvc-options.ts'
import { benjiEngine, benjiFreeze } from './benji-engine.ts'
import {
  benjiEnvironment,
  configurationOf,
  readArguments,
  runFree,
  slotsOf,
  withContext,
  withSession,
  type BenjiProgram,
} from './benji-run.ts'

const program: BenjiProgram = {
  name: 'benji-backup-pvc',
  usage: `usage: benji-backup-pvc [-h] [--all-namespaces | -n NAMESPACE] [-l SELECTOR] [--field-selector SELECTOR]
                        [--source-compare] [--select-only] [[NAMESPACE/]PVC ...]
`,
  help: `Backs up PersistentVolumeClaims on Ceph RBD with Benji: all of them, those of a namespace, or those that are named.

arguments:
  [NAMESPACE/]PVC       claims to back up; instead of selectors

options:
  -h, --help            show this help message and exit
  --all-namespaces      claims of all namespaces, which is also the default
  -n, --namespace NAMESPACE
                        claims of this namespace; that of names without one
  -l, --selector SELECTOR
                        label selector of claims; may be given more than once
  --field-selector SELECTOR
                        field selector of claims; may be given more than once
  --source-compare      compare what was stored with the snapshot, byte by byte
  --select-only         back up nothing, print the claims that would be, as JSON

${benjiEnvironment}  HOLDFAST_KUBELET_ROOT, HOLDFAST_SYS_ROOT
                      where freeze agents see the kubelet's directory and the node's sysfs (default: /var/lib/kubelet,
                      /sys)

exit codes: 0 all were backed up, 1 none was or nothing was found, 2 wrong usage, 4 some were, 64 names and selectors
contradict each other, 75 too many calls at once, 78 wrong configuration. Which were, and why others were not, is in the
log. \`holdfast run\` does the same with a configuration.
`,
}

/** Runs `benji-backup-pvc`. @returns the exit code */
export async function runBenjiBackupPvc(args: readonly string[], io: Io): Promise<number> {
  const options = readArguments(program, io, () => parseBackupPvcOptions(args))
  if (typeof options === 'number') return options
  return withContext(io, async (context) => {
    const plans = slotsOf(await planOf(options, io.env))
    const loaded = await configurationOf(context, plans)
    if (options.selectOnly) return printSelected(context, loaded)
    return withSession(context, loaded, (started) => runFree(started, plans))
  })
}

async function planOf(options: BackupPvcOptions, env: NodeJS.ProcessEnv): Promise<Plan> {
  const { benjiBackup } = await import('@holdfast/plugin-benji')
  return {
    name: program.name,
    use: [benjiBackup({ ...backupOptions(options), freeze: benjiFreeze(env), engine: benjiEngine(env) })],
  }
}

/** What is looked at of a volume. */
interface Volume {
  readonly claim?: { readonly name: string; readonly namespace: string; readonly pv?: string | undefined } | undefined
  readonly image?: unknown
}

/** Claims on RBD, in the order of the API; the others are passed over (K12b). */
async function printSelected(
  context: CommandContext,
  loaded: Parameters<typeof withInspectingEngine>[1],
): Promise<number> {
  await withInspectingEngine(context, loaded, async (engine, signal) => {
    const found = await discoverTargets(engine.services, engine.plan(program.name), { phase: 'command', signal })
    const selected = found.flatMap(({ target }) => {
      const { claim, image } = target.data as unknown as Volume
      if (!claim || !image) return []
      return [{ pvc_name: claim.name, pvc_namespace: claim.namespace, pv_name: claim.pv }]
    })
    context.io.stdout.write(`${JSON.stringify(selected, undefined, 2)}\n`)
  })
  return exitCode.ok
}
