import { readFile } from 'node:fs/promises'
import { createSecret, type SecretRef, type Secrets } from '@holdfast/sdk'
import { errors } from './errors.ts'
import type { Redactor } from './telemetry/redaction.ts'

/** Options of {@link createSecrets}. */
export interface CreateSecretsOptions {
  readonly redactor: Redactor
  /** @defaultValue the process's environment, as it is at each use */
  readonly env?: NodeJS.ProcessEnv | undefined
}

/**
 * Opens references to secrets. Each is read at each use, so that a rotated one works, and made known to the redactor.
 * A file's last newline is not part of the secret. An empty variable or file counts as missing.
 */
export function createSecrets({ redactor, env = process.env }: CreateSecretsOptions): Secrets {
  return {
    async open(ref) {
      const value = await read(ref, env)
      redactor.add(value)
      return createSecret(value)
    },
  }
}

async function read(ref: SecretRef, env: NodeJS.ProcessEnv): Promise<string> {
  if ('env' in ref) {
    const value = env[ref.env]
    if (value === undefined || value === '') throw errors.SECRET_MISSING({ where: `in the variable ${ref.env}` })
    return value
  }
  const where = `in the file ${ref.file}`
  const text = await readFile(ref.file, 'utf8').catch((error: unknown) => {
    throw errors.SECRET_MISSING({ where }, { cause: error })
  })
  const value = text.replace(/\r?\n$/, '')
  if (value === '') throw errors.SECRET_MISSING({ where })
  return value
}
