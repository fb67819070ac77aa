import type { BenjiEngineOptions } from '@holdfast/plugin-benji'
import { parseArguments, type OptionSpec } from './arguments.ts'
import { UsageError } from './fridge-options.ts'

/** What `benji-restore-pvc` was asked for. */
export interface RestorePvcOptions {
  readonly help: boolean
  readonly version: string
  readonly namespace: string
  readonly claim: string
  readonly storageClass: string | undefined
  /** The way to the claim's image, as the template says. */
  readonly engine: Pick<BenjiEngineOptions, 'io' | 'ceph'>
  readonly force: boolean
}

const specs: readonly OptionSpec[] = [
  { names: ['-f', '--force'], takes: 'flag' },
  { names: ['--pvc-storage-class'], takes: 'value' },
  { names: ['--restore-url-template'], takes: 'value' },
]

/**
 * Reads the arguments of `benji-restore-pvc`.
 *
 * @throws UsageError
 */
export function parseRestorePvcOptions(args: readonly string[]): RestorePvcOptions {
  const parsed = parseArguments(args, specs, { required: ['VERSION_UID', 'PVC_NAMESPACE', 'PVC_NAME'] })
  const [version = '', namespace = '', claim = ''] = parsed.words
  const wrong = parsed.help ? undefined : [namespace, claim].find((name) => !/^[^/\s]+$/.test(name))
  if (wrong !== undefined) throw new UsageError(`'${wrong}' is no name of a namespace or claim`)
  const template = parsed.value('--restore-url-template')
  return {
    help: parsed.help,
    version,
    namespace,
    claim,
    storageClass: parsed.value('--pvc-storage-class') || undefined,
    engine: template === undefined ? {} : engineOf(template),
    force: parsed.has('--force'),
  }
}

/**
 * What a template of a URL says beyond the image, which is always the claim's own: the io of Benji, and in its query the
 * user and keyring of Ceph.
 */
function engineOf(template: string): Pick<BenjiEngineOptions, 'io' | 'ceph'> {
  const refuse = (reason: string): Error =>
    new UsageError(
      `argument --restore-url-template: ${reason}; write IO:{pool}/{namespace}/{image}, with ?client_identifier=USER behind it if need be`,
    )
  const [, io, query = ''] = /^([^:{}]+):\{pool\}\/(?:\{namespace\}\/)?\{image\}(?:\?(.*))?$/.exec(template) ?? []
  if (io === undefined) throw refuse(`'${template}' does not lead to the image of the claim`)
  const parameters = new URLSearchParams(query)
  const user = parameters.get('client_identifier') ?? undefined
  const keyring = parameters.get('keyring') ?? undefined
  const other = [...parameters.keys()].find((name) => name !== 'client_identifier' && name !== 'keyring')
  if (other !== undefined) throw refuse(`'${other}' belongs into the configuration of Ceph`)
  return { io: io.toLowerCase(), ...(query !== '' && { ceph: { user, keyring } }) }
}
