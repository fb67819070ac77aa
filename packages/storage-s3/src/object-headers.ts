import type { PutObjectCommandInput } from '@aws-sdk/client-s3'
import type { S3Config } from './options.ts'

type Headers = Pick<
  PutObjectCommandInput,
  | 'ChecksumAlgorithm'
  | 'ServerSideEncryption'
  | 'SSEKMSKeyId'
  | 'BucketKeyEnabled'
  | 'StorageClass'
  | 'Metadata'
  | 'ObjectLockMode'
  | 'ObjectLockRetainUntilDate'
>

/** The metadata that says which call of `put` an object is of. */
export const uploadMark = 'holdfast-upload'

/** What is said of a new object. */
export function headersOf(config: S3Config, key: string, mark: string, now = Date.now()): Headers {
  const { checksum, serverSideEncryption, kmsKeyId, bucketKey, storageClass, objectLock } = config
  return {
    Metadata: { [uploadMark]: mark },
    ...(checksum === 'none' ? {} : { ChecksumAlgorithm: checksum === 'sha256' ? 'SHA256' : 'CRC32' }),
    ...(serverSideEncryption === undefined ? {} : { ServerSideEncryption: serverSideEncryption }),
    ...(kmsKeyId === undefined ? {} : { SSEKMSKeyId: kmsKeyId }),
    ...(bucketKey === undefined ? {} : { BucketKeyEnabled: bucketKey }),
    // A rare class has a price for the shortest time and the smallest size; what isn't data is small and rewritten.
    ...(storageClass === undefined || !isData(key) ? {} : { StorageClass: storageClass as 'STANDARD' }),
    ...(objectLock === undefined || !(isData(key) || isManifest(key))
      ? {}
      : {
          ObjectLockMode: objectLock.mode,
          ObjectLockRetainUntilDate: new Date(now + objectLock.days * 86_400_000),
        }),
  }
}

// As the engine names objects, docs/storage.md. Marks and owner records change and go; locked, each of their versions
// would stay.
function isData(key: string): boolean {
  return /\.data(?:\.\w+)*$/.test(key)
}

function isManifest(key: string): boolean {
  return key.endsWith('.manifest.json')
}
