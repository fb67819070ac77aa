import type { StorageDriver } from '@holdfast/sdk'
import { systemClock } from './clock.ts'
import { createDriver } from './create-driver.ts'
import { parseOptions, type S3Options } from './options.ts'

/**
 * A store in a bucket of S3, or of a service that speaks its protocol. Streams of any length up to 5 TiB in the memory of
 * `concurrency` parts; an object is there whole or not at all. Credentials come from the AWS SDK's chain: environment,
 * mounted files, the roles of service accounts, EKS Pod Identity, the machine's metadata service.
 *
 * @throws HoldfastError `STORAGE_OPTIONS_INVALID`; its operations `STORAGE_NOT_FOUND`, `STORAGE_DENIED`,
 * `STORAGE_UNREACHABLE` and the others of docs/s3.md
 * @example
 * ```ts
 * const storage = s3({ bucket: 'backups', prefix: 'shop', region: 'eu-central-1' })
 * ```
 */
export function s3(options: S3Options): StorageDriver {
  return createDriver(parseOptions(options), systemClock)
}
