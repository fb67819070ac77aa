import { posix } from 'node:path'
import { notifiersOf, type ResolvedConfig } from '@holdfast/runtime'
import { errors } from '../errors.ts'
import type { PodParts } from './blueprint.ts'

/** Options of {@link secretParts}. */
export interface SecretPartsOptions {
  readonly name: string
  readonly config: Pick<ResolvedConfig, 'plans' | 'drills' | 'notify' | 'pushgateway'>
  /** A Secret that was named. */
  readonly secret: string | undefined
  /** Variables that come from it. */
  readonly variables: readonly string[]
}

/** The image has it, empty. */
const secretsDirectory = '/secrets'

/**
 * What comes from a Secret: variables and files that the configuration names, and what was asked for. The Secret itself
 * is never made here.
 *
 * @throws HoldfastError `GENERATE_DIRECTORY` for a file that would be in the root of the pod
 */
export function secretParts({ name, config, secret, variables }: SecretPartsOptions): PodParts {
  const references = [
    ...config.plans.flatMap(({ encoding: { identity } }) => (identity === undefined ? [] : [identity])),
    ...[...notifiersOf(config)].flatMap(({ secrets }) => secrets),
    ...(typeof config.pushgateway === 'object' ? [config.pushgateway] : []),
  ]
  const named = [...references.flatMap((each) => ('env' in each ? [each.env] : [])), ...variables]
  const directories = [
    ...references.flatMap((each) => ('file' in each ? [directoryOf(each.file)] : [])),
    ...(secret === undefined ? [] : [secretsDirectory]),
  ]
  const secretName = secret ?? `${name}-secrets`
  const volume = `${name}-secrets`
  const comment = `From the Secret "${secretName}", which must be there.`
  return {
    env: [...new Set(named)].map((key, index) => ({
      value: { name: key, valueFrom: { secretKeyRef: { name: secretName, key } } },
      ...(index === 0 && { comment }),
    })),
    ...(directories.length > 0 && {
      volumes: [
        { value: { name: volume, secret: { secretName } }, comment: 'A file for each of its keys. It must be there.' },
      ],
      mounts: [...new Set(directories)].map((mountPath) => ({ name: volume, mountPath, readOnly: true })),
    }),
  }
}

/** Where the file is in the pod, whose working directory is its root: a relative path can't be mounted. */
function directoryOf(file: string): string {
  const directory = posix.resolve('/', posix.dirname(file))
  if (directory !== '/') return directory
  const reason = 'in the pod it would be in /, where no Secret can be mounted; name a directory in it'
  throw errors.GENERATE_DIRECTORY({ what: 'the secret file', path: file, reason })
}
