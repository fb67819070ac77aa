import { defineErrors } from '@holdfast/sdk'

/** What was being done with a store, for messages. */
export type Operation = 'put' | 'get' | 'list' | 'delete' | 'sweep'

/** Every error of this package. Its hint says what it means for the backups, and what to do. */
export const errors = defineErrors(
  {
    STORAGE_OPTIONS_INVALID: {
      message: (p: { option: string; reason: string }) => `the S3 store's ${p.option} can't be used: ${p.reason}`,
      hint: (p: { known: string }) => `Nothing was read or written. The options of an S3 store: ${p.known}.`,
    },
    STORAGE_CREDENTIALS_MISSING: {
      message: (p: { store: string; reason: string }) => `no credentials for ${p.store}: ${p.reason}`,
      hint: 'Nothing was read or written. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, mount a file and name it in AWS_SHARED_CREDENTIALS_FILE, or give the service account a role (EKS): docs/s3.md.',
      retryable: true,
    },
    STORAGE_CREDENTIALS_EXPIRED: {
      message: (p: { operation: Operation; key: string; store: string }) =>
        `the credentials for ${p.store} have expired: it refused to ${p.operation} "${p.key}"`,
      hint: 'What was being stored does not count as a backup; earlier ones are untouched. Roles and mounted files are read again by themselves; a token in AWS_SESSION_TOKEN needs a new one, and a new start.',
      retryable: true,
    },
    STORAGE_CREDENTIALS_REFUSED: {
      message: (p: { operation: Operation; key: string; store: string; reason: string }) =>
        `${p.store} does not know the credentials: it refused to ${p.operation} "${p.key}": ${p.reason}`,
      hint: 'Nothing was stored. The key is deleted, disabled, mistyped, or of another service: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the mounted file, for a line end or a blank too many.',
    },
    STORAGE_DENIED: {
      message: (p: { operation: Operation; key: string; store: string; reason: string }) =>
        `${p.store} does not allow to ${p.operation} "${p.key}": ${p.reason}`,
      hint: (p: { actions: string }) =>
        `What was being stored does not count as a backup; earlier ones are untouched. Allow ${p.actions} on the bucket and the prefix (docs/s3.md has the whole policy), and look at policies that deny: of the bucket, of its KMS key, of the organisation.`,
    },
    STORAGE_BUCKET_MISSING: {
      message: (p: { bucket: string; endpoint: string }) => `there is no bucket "${p.bucket}" at ${p.endpoint}`,
      hint: 'Nothing was read or written. Correct the name or the endpoint, or make the bucket; Holdfast never makes one, because whoever owns it decides who may read it.',
    },
    STORAGE_REGION: {
      message: (p: { bucket: string; region: string; actual: string }) =>
        `the bucket "${p.bucket}" is in the region ${p.actual}, not in ${p.region}`,
      hint: (p) =>
        `Nothing was read or written. Set the region to ${p.actual}: region=… in the address, or AWS_REGION.`,
    },
    STORAGE_UNREACHABLE: {
      message: (p: { endpoint: string; reason: string }) => `the store at ${p.endpoint} can't be reached: ${p.reason}`,
      hint: 'What was being stored does not count as a backup; earlier ones are untouched. It was tried again until its time was up. Check the endpoint and its port, DNS, network policies and the way out of the cluster.',
      retryable: true,
    },
    STORAGE_TLS: {
      message: (p: { endpoint: string; reason: string }) => `the store at ${p.endpoint} is not trusted: ${p.reason}`,
      hint: 'Nothing was read or written. For a certificate of your own authority, mount it and name it in NODE_EXTRA_CA_CERTS; a server without TLS has an endpoint that begins with http://.',
    },
    STORAGE_BUSY: {
      message: (p: { operation: Operation; key: string; store: string; reason: string }) =>
        `${p.store} has too much to do to ${p.operation} "${p.key}": ${p.reason}`,
      hint: 'What was being stored does not count as a backup; earlier ones are untouched. It was tried again until its time was up. Run fewer backups at once, lower `concurrency`, or ask for a higher limit.',
      retryable: true,
    },
    STORAGE_CLOCK_SKEW: {
      message: (p: { store: string; reason: string }) =>
        `the clock here and that of ${p.store} differ too much: ${p.reason}`,
      hint: 'Nothing was stored. Synchronise the time of this node (NTP): schedules, retention and signatures depend on it.',
    },
    STORAGE_CHECKSUM: {
      message: (p: { operation: Operation; key: string; reason: string }) =>
        `"${p.key}" did not arrive as it was sent (${p.operation}): ${p.reason}`,
      hint: 'What was being stored does not count as a backup; earlier ones are untouched. It was tried again until its time was up: look at the memory of this machine and at proxies that change what passes through them.',
      retryable: true,
    },
    STORAGE_NO_OBJECT_LOCK: {
      message: (p: { bucket: string; reason: string }) => `the bucket "${p.bucket}" can't lock objects: ${p.reason}`,
      hint: 'Nothing was stored. Object Lock is switched on for a bucket when it is made, or later together with versioning; else remove objectLock from the options.',
    },
    STORAGE_ARCHIVED: {
      message: (p: { key: string; store: string; reason: string }) =>
        `"${p.key}" was moved to an archive of ${p.store}: ${p.reason}`,
      hint: 'It is not lost, and can be read some hours after `aws s3api restore-object`. A lifecycle rule of the bucket moved it: let it spare what retention still keeps, or no backup can be verified.',
    },
    STORAGE_TOO_LARGE: {
      message: (p: { key: string; reason: string }) => `"${p.key}" is larger than the store takes: ${p.reason}`,
      hint: 'Nothing was stored; earlier backups are untouched. An object ends at 5 TiB and 10,000 parts: raise partSize, or split what is dumped.',
    },
  },
  'docs/errors.md',
)
