// The service of s3.bench.ts, in a process of its own as it would be on a machine of its own: takes everything, checks and
// keeps nothing. Prints its URL.
import { startS3 } from '../packages/storage-s3/test/support/s3-server.ts'

const { url } = await startS3({ discard: true, unchecked: true })
console.log(url)
