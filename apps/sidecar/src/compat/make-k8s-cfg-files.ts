// `make-k8s-cfg-files`, as sidefridge's users know it: the same arguments and files, but valid on today's Kubernetes.
import { statSync } from 'node:fs'
import { posix, resolve } from 'node:path'
import { isHoldfastError } from '@holdfast/sdk'
import { loadConfig, permissionsOf, reasonOf, type ResolvedConfig } from '@holdfast/runtime'
import { environmentForm } from '../environment.ts'
import { errors } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { cfgFiles, type CfgFilesNames } from '../generate/cfg-files.ts'
import { dashed, isLabel, labelRule, longestLabel, nearestLabel } from '../generate/names.ts'
import { readScriptFiles } from '../generate/script-files.ts'
import { writeFiles } from '../generate/write-files.ts'
import { internalError } from '../internal-error.ts'
import type { Io } from '../io.ts'
import { problemsIn } from '../problems.ts'
import { stamp } from './fridge-log.ts'
import { UsageError } from './fridge-options.ts'
import { parseCfgFilesOptions, type CfgFilesOptions } from './make-k8s-cfg-files-options.ts'

const usage =
  'usage: make-k8s-cfg-files [-h] [-csp CONTAINER_SCRIPTS_PATH]\n' +
  '                          NAMESPACE PROJECT_NAME CONTAINER_NAME INPUT_DIR OUTPUT_DIR\n'
const help = `${usage}
Makes Kubernetes manifests from directories of scripts, as sidefridge did.

arguments:
  NAMESPACE             namespace of the objects
  PROJECT_NAME          names of objects and files begin with it
  CONTAINER_NAME        container that the scripts belong to, part of the objects' names
  INPUT_DIR             directory that holds a directory of scripts per hook
  OUTPUT_DIR            where the files go; may be the same

options:
  -h, --help            show this help message and exit
  -csp PATH, --container-scripts-path PATH
                        where the scripts are in the container (default: /scripts)

files:
  PROJECT_NAME-config-maps.yaml                            apply it: the scripts
  PROJECT_NAME-accounts.yaml                               apply it: an account, and what it may do
  PROJECT_NAME-partial_service_account_name_volumes.yaml   paste it into the pod
  PROJECT_NAME-partial_volume_mounts.yaml                  paste it into the container

exit codes: 0 the files were written, 1 they were not, 2 wrong usage. \`holdfast generate kubernetes\` makes whole
sidecars, CronJobs and kustomize components.
`

/** Runs `make-k8s-cfg-files`. @returns the exit code */
export async function runMakeK8sCfgFiles(args: readonly string[], io: Io): Promise<number> {
  try {
    const options = parseCfgFilesOptions(args)
    if (options.help) io.stdout.write(help)
    else await makeFiles(options, io)
    return exitCode.ok
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(`${usage}make-k8s-cfg-files: error: ${error.message}\n`)
      return exitCode.usage
    }
    const failure = isHoldfastError(error) ? error : internalError(error)
    // As sidefridge: on standard output, a line for each problem.
    for (const { message, hint } of problemsIn(failure)) {
      io.stdout.write(`${stamp(io.clock.now())} ${message}${hint === undefined ? '' : `. ${hint}`}\n`)
    }
    return exitCode.failed
  }
}

async function makeFiles(options: CfgFilesOptions, { cwd, clock }: Io): Promise<void> {
  const { namespace, project, container, scriptsPath } = options
  const input = checkDirectory('INPUT_DIR', resolve(cwd, options.input))
  const output = checkDirectory('OUTPUT_DIR', resolve(cwd, options.output))
  if (!scriptsPath.startsWith('/') || scriptsPath.includes(':')) {
    const allowed = 'an absolute path without ":"'
    throw errors.OPTION_INVALID({ option: '--container-scripts-path', value: scriptsPath, allowed })
  }
  const names: CfgFilesNames = {
    namespace: checkLabel('NAMESPACE', namespace),
    project: checkLabel('PROJECT_NAME', dashed(project)),
    container: checkLabel('CONTAINER_NAME', dashed(container)),
  }
  const hooks = await readScriptFiles(input)
  if (hooks.length === 0) {
    const directories = ['install_dependencies', 'before_backups', 'backups', 'after_backups', 'on_error']
    throw errors.GENERATE_NO_SCRIPTS({ path: input, directories: directories.join(', ') })
  }
  const permissions = permissionsOf(await configurationOf(input, clock))
  const files = cfgFiles({
    names,
    hooks,
    permissions,
    scriptsPath: posix.normalize(scriptsPath).replace(/(?!^)\/$/, ''),
  })
  await writeFiles(
    output,
    files.map(({ name, text }) => ({ name: `${project}-${name}`, content: text })),
  )
}

/** The one that a pod with these scripts has: what it needs is what its account may do. */
async function configurationOf(input: string, clock: Io['clock']): Promise<ResolvedConfig> {
  // Nothing is ever found below this path.
  const nowhere = '/dev/null'
  const env = { CRON_BACKUP_SCHEDULE: '@daily' }
  const form = (): ReturnType<typeof environmentForm> => environmentForm(env, input)
  return (await loadConfig({ cwd: nowhere, etc: nowhere, env, environmentForm: form, clock })).config
}

function checkDirectory(what: string, path: string): string {
  let reason = 'it is no directory'
  try {
    if (statSync(path).isDirectory()) return path
  } catch (error) {
    reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not there' : reasonOf(error)
  }
  throw errors.GENERATE_DIRECTORY({ what, path, reason })
}

function checkLabel(what: string, name: string): string {
  if (isLabel(name) && name.length <= longestLabel) return name
  const near = nearestLabel(name)?.slice(0, longestLabel)
  const suggestion = near === undefined ? '' : ` "${near}" would do.`
  const rule = `at most ${longestLabel} ${labelRule}`
  throw errors.GENERATE_NAME_INVALID({ what, name, rule, suggestion })
}
