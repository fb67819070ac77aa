import { formatDuration, isDuration, isHoldfastError, parseDuration } from '@holdfast/sdk'
import { listStoredUndos, reasonOf, type MirroredUndo, type RuntimeKubernetes } from '@holdfast/runtime'
import { clusterOf } from '../cluster.ts'
import type { CommandContext } from '../context.ts'
import { errors } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { count } from '../output/format.ts'
import { printable } from '../output/printable.ts'

/** Options of `holdfast uninstall`. */
export interface UninstallOptions {
  readonly selector: string
  readonly timeout: string
}

/** As kubectl names them, and as the API does. */
const types: Readonly<Record<string, string>> = { deployment: 'deployments', cronjob: 'cronjobs' }

const pollMs = 1000

/**
 * `holdfast uninstall`: deletes workloads of ours and waits for the end of their pods, which have the account's rights
 * until then: so the records of the undos that they run go, too. What is left is said, and is no failure.
 */
export async function runUninstallCommand(
  context: CommandContext,
  names: readonly string[],
  options: UninstallOptions,
): Promise<number> {
  const workloads = names.map(parseWorkload)
  const patienceMs = parsePatience(options.timeout)
  const cluster = await clusterOf(context)
  if (!cluster) throw errors.UNINSTALL_NO_CLUSTER({})
  try {
    const { kubernetes } = cluster
    for (const { type, name } of workloads) await remove(kubernetes, type, name)
    await untilGone(context, kubernetes, options.selector, patienceMs)
    const left = await leftBehind(context, kubernetes)
    if (context.settings.json) {
      context.printJson({ deleted: names, undos: left?.map(({ undo }) => ({ ...undo, input: undefined })) ?? null })
    } else context.print(`${names.join(', ')}: deleted, and all pods are gone.\n${describe(left)}`)
    return exitCode.ok
  } finally {
    cluster.close()
  }
}

function parseWorkload(text: string): { readonly type: string; readonly name: string } {
  const [kind = '', name = '', ...rest] = text.split('/')
  const type = Object.hasOwn(types, kind) ? types[kind] : undefined
  if (type !== undefined && name !== '' && rest.length === 0) return { type, name }
  throw errors.OPTION_INVALID({ option: 'WORKLOAD', value: text, allowed: 'deployment/NAME, cronjob/NAME' })
}

function parsePatience(text: string): number {
  if (isDuration(text)) return parseDuration(text)
  const allowed = 'a number with ms, s, m, h or d, such as 90s'
  throw errors.OPTION_INVALID({ option: '--timeout', value: text, allowed })
}

/** @throws HoldfastError `UNINSTALL_UNREACHABLE`, `KUBERNETES_…` */
async function remove(kubernetes: RuntimeKubernetes, type: string, name: string): Promise<void> {
  try {
    await kubernetes.delete(type, name)
  } catch (error) {
    if (!isHoldfastError(error) || !error.retryable) throw error
    throw errors.UNINSTALL_UNREACHABLE({ reason: error.message }, { cause: error })
  }
}

/** @throws HoldfastError `UNINSTALL_PODS_LEFT`, `KUBERNETES_…` */
async function untilGone(
  { io: { clock }, log }: CommandContext,
  kubernetes: RuntimeKubernetes,
  labelSelector: string,
  patienceMs: number,
): Promise<void> {
  const end = clock.monotonic() + patienceMs
  let said = ''
  for (;;) {
    const isLast = clock.monotonic() >= end
    try {
      const names = await podNames(kubernetes, labelSelector)
      if (names.length === 0) return
      const pods = names.join(', ')
      if (isLast) throw errors.UNINSTALL_PODS_LEFT({ pods, after: formatDuration(patienceMs) })
      if (pods !== said) log.info(`waiting for ${count(names.length, 'pod')} to give back what was taken: ${pods}`)
      said = pods
    } catch (error) {
      // Meanwhile the pods go on.
      if (isLast || !isHoldfastError(error) || !error.retryable) throw error
      log.warn(error.message, { error })
    }
    await clock.sleep(pollMs)
  }
}

async function podNames(kubernetes: RuntimeKubernetes, labelSelector?: string): Promise<readonly string[]> {
  const names: string[] = []
  const { namespace } = kubernetes
  for await (const { metadata } of kubernetes.list('pods', { namespace, labelSelector })) {
    names.push(metadata.name)
  }
  return names.toSorted()
}

/**
 * What nobody gives back any more; that of pods which are still there is theirs.
 *
 * @returns `undefined` where that can't be looked at
 */
async function leftBehind(
  context: CommandContext,
  kubernetes: RuntimeKubernetes,
): Promise<readonly MirroredUndo[] | undefined> {
  try {
    let damaged = 0
    const stored = await listStoredUndos({
      kubernetes,
      onDamaged(error, name) {
        damaged += 1
        context.log.warn(`configmap/${name} can't be read: ${reasonOf(error)}`, { error })
      },
    })
    const pods = stored.length === 0 ? [] : await podNames(kubernetes)
    const left = stored.filter(({ owner }) => owner.podName === undefined || !pods.includes(owner.podName))
    return left.length === 0 && damaged > 0 ? undefined : left
  } catch (error) {
    // The pods are gone, which is what counts. Where undos have no copies, there is no right to look for any.
    if (!isHoldfastError(error)) throw error
    if (error.code !== 'KUBERNETES_FORBIDDEN') context.warn(error)
    return undefined
  }
}

function describe(left: readonly MirroredUndo[] | undefined): string {
  if (!left)
    return 'Whether all that was taken has been given back is not known: copies of undos can not be looked at, or not read.\n'
  if (left.length === 0) return 'Nothing is pending: all that was taken has been given back.\n'
  const lines = left.map(({ undo }) => {
    const what = printable(`${undo.undo} of ${undo.plan}/${undo.participant}`)
    return `  configmap/holdfast-undo-${undo.id}  ${what}, taken ${undo.armedAt.toISOString()}\n`
  })
  return (
    `NOT given back: ${count(left.length, 'undo')}, which stay:\n${lines.join('')}` +
    'Install the release again, with the same values: its start runs them first. What you give back by hand, delete here.\n'
  )
}
