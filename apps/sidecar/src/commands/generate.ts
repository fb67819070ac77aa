import { basename, join, relative, resolve } from 'node:path'
import { configJsonSchema } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { cronJobPages } from '../generate/cron-job.ts'
import { checkComponentDirectory, kustomizeComponent } from '../generate/kustomize.ts'
import { podMonitorPage } from '../generate/monitoring.ts'
import { accountPages, configMapPages } from '../generate/objects.ts'
import { readAccess, readBlueprint, type AccountOptions, type BlueprintOptions } from '../generate/read-blueprint.ts'
import { warningsFor } from '../generate/warnings.ts'
import { parseWorkload, sidecarPatch } from '../generate/workload.ts'
import { writeFiles } from '../generate/write-files.ts'
import { toYaml, type YamlPage } from '../generate/yaml.ts'
import { formatJson } from '../output/format.ts'

/** What `holdfast generate kubernetes` prints. */
export const kubernetesForms = ['sidecar', 'container', 'cronjob', 'kustomize'] as const

/** Options of `holdfast generate rbac`. */
export type GenerateRbacOptions = AccountOptions

/** Options of `holdfast generate kubernetes`. */
export interface GenerateKubernetesOptions extends BlueprintOptions {
  readonly form: (typeof kubernetesForms)[number]
  readonly workload: string
  readonly output?: string | undefined
  readonly monitoring?: boolean | undefined
  readonly readinessProbe?: boolean | undefined
}

/** `holdfast generate schema`: the JSON Schema of `holdfast.yaml`, with the options of the plugins that come along. */
export async function runGenerateSchemaCommand(context: CommandContext): Promise<number> {
  const { scripts } = await import('@holdfast/plugin-scripts')
  const schema = await configJsonSchema({ '@holdfast/plugin-scripts#scripts': scripts })
  context.print(formatJson(schema))
  return exitCode.ok
}

/** `holdfast generate rbac`: the least Roles for a configuration, each rule with its reason. */
export async function runGenerateRbacCommand(context: CommandContext, options: GenerateRbacOptions): Promise<number> {
  const access = await readAccess(context, options)
  const pages = accountPages(access)
  const { account, namespace } = access
  const where = namespace === undefined ? 'in the namespace that it is applied to' : `in the namespace "${namespace}"`
  print(
    context,
    pages,
    `What ${basename(access.loaded.config.source)} needs, for the account "${account.name}" ${where}. Made by holdfast generate rbac.
Apply it: kubectl apply -f FILE`,
  )
  return exitCode.ok
}

/** `holdfast generate kubernetes`: manifests that run Holdfast in a cluster. */
export async function runGenerateKubernetesCommand(
  context: CommandContext,
  options: GenerateKubernetesOptions,
): Promise<number> {
  checkOptions(options)
  const { form, monitoring = false, readinessProbe: readiness = false, output = '' } = options
  const workload = parseWorkload(options.workload)
  const isCronJob = form === 'cronjob'
  const made = await readBlueprint(context, options)
  if (monitoring && made.port === 0) {
    const reason = 'the configuration turns /metrics off (`metrics.listen: 0`)'
    throw errors.OPTION_CONFLICT({ option: '--monitoring', other: 'this configuration', reason })
  }
  const { targetContainer, stateClaim } = options
  for (const warning of warningsFor(made, { isCronJob, targetContainer, stateClaim })) context.warn(warning)
  if (form === 'kustomize') {
    const directory = resolve(context.io.cwd, output)
    await checkComponentDirectory(directory)
    const files = kustomizeComponent(made, { workload, readiness, monitoring })
    await writeFiles(directory, files)
    sayWritten(
      context,
      directory,
      files.map(({ name }) => join(directory, name)),
    )
    return exitCode.ok
  }
  const objects = [...accountPages(made), ...configMapPages(made), ...(monitoring ? [podMonitorPage(made)] : [])]
  if (isCronJob) {
    print(
      context,
      [...objects, ...cronJobPages(made)],
      `A CronJob for each plan. Made by holdfast generate kubernetes.
Apply it: kubectl apply --server-side -f FILE`,
    )
    return exitCode.ok
  }
  const { namespace } = made
  const kind = workload.kind.toLowerCase()
  const header = `The sidecar, as a part of the ${workload.kind} "${workload.name}". By itself it is a patch:
kubectl patch ${namespace === undefined ? '' : `-n ${namespace} `}${kind} ${workload.name} --patch-file FILE`
  const patch = sidecarPatch(made, { workload, native: form === 'sidecar', readiness, monitoring, namespace, header })
  print(
    context,
    [...objects, patch],
    `A sidecar for the ${workload.kind} "${workload.name}". Made by holdfast generate kubernetes.
Add it to what is there, under a manager of its own, so that the rest stays as it is:
kubectl apply --server-side --field-manager=holdfast --force-conflicts -f FILE
The ${workload.kind} has to be applied server-side as well: kubectl hands what plain \`kubectl apply\` made to this manager.`,
  )
  return exitCode.ok
}

/** What can't go together. */
function checkOptions({ form, output, monitoring, targetContainer, readinessProbe }: GenerateKubernetesOptions): void {
  const conflict = (option: string, reason: string): Error =>
    errors.OPTION_CONFLICT({ option, other: `--form ${form}`, reason })
  if (form === 'kustomize' && output === undefined) {
    throw errors.OPTION_NEEDED({ option: '--output', reason: 'a kustomize component is a directory' })
  }
  if (form !== 'kustomize' && output !== undefined) throw conflict('--output', 'it goes to standard output')
  if (form !== 'cronjob') return
  if (monitoring) throw conflict('--monitoring', 'such pods end before anybody scrapes them; use metrics.pushgateway')
  if (readinessProbe) throw conflict('--readiness-probe', 'such pods serve nobody')
  if (targetContainer !== undefined) throw conflict('--target-container', 'such pods have no other container')
}

/**
 * Byte by byte: what people read is redacted, and a script whose `http://user:$PASSWORD@host` was would no longer do what
 * it does.
 */
function print(context: CommandContext, [first, ...more]: readonly YamlPage[], header: string): void {
  if (first === undefined) return
  const pages = [{ ...first, header: first.header === undefined ? header : `${header}\n\n${first.header}` }, ...more]
  if (context.settings.json) {
    // Whole, however deep: what is printed for people to read is cut somewhere.
    context.io.stdout.write(formatJson({ apiVersion: 'v1', kind: 'List', items: pages.map(({ value }) => value) }))
  } else context.io.stdout.write(toYaml(pages))
}

function sayWritten(context: CommandContext, directory: string, files: readonly string[]): void {
  const { io, settings, style } = context
  if (settings.json) return context.printJson({ files })
  const lines = files.map((file) => `  ${style.green('+')} ${relative(io.cwd, file)}\n`)
  const name = relative(io.cwd, directory) || '.'
  const next = `Next: name it in your kustomization.yaml, components: [${name}], then ${style.bold('kubectl apply -k .')}`
  context.print(`${lines.join('')}\n${next}\n`)
}
