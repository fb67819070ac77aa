import { posix } from 'node:path'
import { notifiersOf, type ResolvedConfig } from '@holdfast/runtime'
import type { PodParts } from './blueprint.ts'

/** Options of {@link secretParts}. */
export interface SecretPartsOptions {
  readonly name: string
  readonly config: Pick<ResolvedConfig, 'plans' | 'drills' | 'notify'>
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
 */
export function secretParts({ name, config, secret, variables }: SecretPartsOptions): PodParts {
  const references = [
    ...config.plans.flatMap(({ encoding: { identity } }) => (identity === undefined ? [] : [identity])),
    ...[...notifiersOf(config)].flatMap(({ secrets }) => secrets),
  ]
  const named = [...references.flatMap((each) => ('env' in each ? [each.env] : [])), ...variables]
  const directories = [
    ...references.flatMap((each) => ('file' in each ? [posix.dirname(each.file)] : [])),
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
