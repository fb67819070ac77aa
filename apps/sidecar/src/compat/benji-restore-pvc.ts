// `benji-restore-pvc`, as users of Benji's Kubernetes tools know it, on Holdfast's engine.
import type { Json, Plan, RestorePoint } from '@holdfast/sdk'
import { executeTask, restoreByPlugin } from '@holdfast/runtime'
import { exitCode, exitCodeOfSignal } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { benjiEngine } from './benji-engine.ts'
import { parseRestorePvcOptions, type RestorePvcOptions } from './benji-restore-pvc-options.ts'
import {
  benjiEnvironment,
  configurationOf,
  readArguments,
  withContext,
  withSession,
  type BenjiProgram,
  type StartedSession,
} from './benji-run.ts'

const program: BenjiProgram = {
  name: 'benji-restore-pvc',
  usage: `usage: benji-restore-pvc [-h] [-f] [--pvc-storage-class CLASS] [--restore-url-template TEMPLATE]
                         VERSION_UID PVC_NAMESPACE PVC_NAME
`,
  help: `Restores a version of Benji into a PersistentVolumeClaim. One that isn't there is made, with storage class, access
modes and volume mode of the one that was backed up.

arguments:
  VERSION_UID           the version, see \`benji ls\`
  PVC_NAMESPACE         namespace of the claim
  PVC_NAME              name of the claim

options:
  -h, --help            show this help message and exit
  -f, --force           overwrite a claim that is there already, even while a pod uses it (which destroys its
                        filesystem), and restore a version that is invalid
  --pvc-storage-class CLASS
                        storage class of a claim that is made (default: that of the claim that was backed up)
  --restore-url-template TEMPLATE
                        IO:{pool}/{namespace}/{image}: which io of Benji writes the image (default: rbd)

${benjiEnvironment}
exit codes: 0 restored, and no block was damaged; 1 not restored; 2 wrong usage; 73 the claim was not bound to a volume
in time. \`holdfast restore\` also restores into images and files, and overwrites an unused claim without --force.
`,
}

/** A week: nobody knows how large it is, or how slow its storage. */
const budgetMs = 7 * 86_400_000
/** `EX_CANTCREAT`, as Benji's tools have it. */
const notBound = 73

/** Runs `benji-restore-pvc`. @returns the exit code */
export async function runBenjiRestorePvc(args: readonly string[], io: Io): Promise<number> {
  const options = readArguments(program, io, () => parseRestorePvcOptions(args))
  if (typeof options === 'number') return options
  return withContext(io, async (context) => {
    const loaded = await configurationOf(context, [await planOf(options, io.env)])
    return withSession(context, loaded, (started) => restore(started, options))
  })
}

async function planOf({ namespace, claim, engine }: RestorePvcOptions, env: NodeJS.ProcessEnv): Promise<Plan> {
  const { benjiBackup } = await import('@holdfast/plugin-benji')
  const backup = benjiBackup({ pvcs: [`${namespace}/${claim}`], engine: { ...benjiEngine(env), ...engine } })
  return { name: program.name, use: [backup] }
}

async function restore({ session, signals }: StartedSession, options: RestorePvcOptions): Promise<number> {
  const { version, namespace, claim, storageClass, force } = options
  const { services } = session.engine
  const plan = session.engine.plan(program.name)
  const [participant] = plan.participants
  if (!participant) return exitCode.failed
  const pvc = `${namespace}/${claim}`
  // Without the plan's lock: two claims may be restored at once.
  const { outcome } = await executeTask(services, {
    plan: program.name,
    budgetMs,
    async body(call): Promise<Json> {
      const there = await services.kubernetes?.get('persistentvolumeclaims', claim, { namespace })
      if (there && !force) {
        const { errors } = await import('@holdfast/plugin-benji')
        throw errors.VOLUME_THERE({ place: `the claim ${pvc}` })
      }
      const point: RestorePoint = { id: version, target: pvc, createdAt: new Date(0), state: 'valid', ref: null }
      const to = { pvc, ...(!there && storageClass !== undefined && { storageClass }) }
      return restoreByPlugin(services, call, { plan, participant, point, options: to, force })
    },
  })
  services.journal.forgetRunsOf(program.name)
  const received = signals.received()
  if (received !== undefined && outcome.error) return exitCodeOfSignal(received)
  if (!outcome.error) return exitCode.ok
  return outcome.error.code === 'VOLUME_NOT_BOUND' ? notBound : exitCode.failed
}
