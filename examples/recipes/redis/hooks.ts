// All keys of a Redis, as a new replica would get them, read back by the program of its own container.
import { defineHook, type Permission } from '@holdfast/sdk'

const where = { pod: process.env['POD_NAME'] ?? 'shop-0', container: 'redis' }
const permissions: readonly Permission[] = [
  { apiGroup: '', resource: 'pods', verbs: ['get'], scope: 'namespace', why: 'is it running?' },
  { apiGroup: '', resource: 'pods/exec', verbs: ['create', 'get'], scope: 'namespace', why: 'redis-cli runs there' },
]
// REDIS_PASSWORD is that container's own variable, put in by its own shell: it is in no argv, and never here.
const redisCli = 'REDISCLI_AUTH="$REDIS_PASSWORD" exec redis-cli --rdb -'

export const dump = defineHook(
  'backups',
  ({ createArtifact, exec }) =>
    createArtifact(
      'shop.rdb',
      (stdout) =>
        exec.container(where, { command: ['sh', '-c', redisCli], stdout, integrity: 'sha256', idleTimeout: '5m' }),
      { minSize: 1000 }, // that of an empty Redis has less than 300 bytes
    ),
  { permissions },
)

// Reads every key, and compares Redis' own checksum.
export const verify = defineHook('verifyBackups', async ({ points, openArtifact, exec }) => {
  for (const { id } of points) {
    const command = ['redis-check-rdb', '/dev/stdin'] as const
    await exec.container(where, { command, stdin: openArtifact(id), stdout: 'log' })
  }
})
