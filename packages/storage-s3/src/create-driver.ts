import type { StorageDriver } from '@holdfast/sdk'
import type { DriverClock } from './clock.ts'
import { deleteObject } from './delete.ts'
import { environmentEndpoint, environmentRegion } from './environment.ts'
import { getObject } from './get.ts'
import { listObjects } from './list.ts'
import type { S3Config } from './options.ts'
import { putObject } from './put.ts'
import { createRemote } from './remote.ts'
import { sweepUploads } from './sweep.ts'

/** A driver for options that are valid. Nothing is loaded or sent before its first operation. */
export function createDriver(config: S3Config, clock: DriverClock): StorageDriver {
  const { bucket, prefix, objectLock } = config
  const endpoint = config.endpoint ?? environmentEndpoint()
  const region = config.region ?? environmentRegion()
  const store = `s3://${[bucket, prefix].filter((part) => part !== '').join('/')}`
  const place = { bucket, store, endpoint: endpoint ?? 'AWS', region: region ?? 'the one that is configured' }
  const remote = createRemote(config, place, clock)
  const active = new Set<string>()
  return {
    name: 's3',
    // A bucket of the same name at another service is another one.
    address: endpoint === undefined ? store : `${store}?endpoint=${normal(endpoint)}`,
    capabilities: { atomicPut: true, rangeRead: true, objectLock: objectLock !== undefined },
    put: (key, body, { signal }) => putObject(remote, { key, body, signal, active }),
    get: (key, { signal, range = { start: 0 } }) => getObject(remote, { key, signal, range }),
    list: (keyPrefix, { signal }) => listObjects(remote, keyPrefix, signal),
    delete: (key, { signal }) => deleteObject(remote, key, signal),
    sweep: (before, { signal, prefix: keyPrefix = '' }) =>
      sweepUploads(remote, { prefix: keyPrefix, before, active, signal }),
  }
}

/** However it is written: by its address a store is known again. */
function normal(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).href.replace(/\/$/, '') : endpoint
}
