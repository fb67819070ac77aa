// A dump of a PostgreSQL database, made and read back by the programs of the database's own container.
import { defineHook, type Permission } from '@holdfast/sdk'

const where = { pod: process.env['POD_NAME'] ?? 'shop-0', container: 'postgres' }
const permissions: readonly Permission[] = [
  { apiGroup: '', resource: 'pods', verbs: ['get'], scope: 'namespace', why: 'is it running?' },
  { apiGroup: '', resource: 'pods/exec', verbs: ['create', 'get'], scope: 'namespace', why: 'pg_dump runs there' },
]
// The password is that container's own variable, put in by its own shell: it is in no argv, and never here.
const pgDump = `PGPASSWORD="$POSTGRES_PASSWORD" exec pg_dump --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
  --format=custom --compress=0`

export const dump = defineHook(
  'backups',
  ({ createArtifact, exec }) =>
    createArtifact(
      'shop.dump',
      (stdout) =>
        exec.container(where, { command: ['sh', '-c', pgDump], stdout, integrity: 'sha256', idleTimeout: '5m' }),
      { minSize: 10_000 }, // that of an empty database has less than 1000 bytes
    ),
  { permissions },
)

// Reads all of it. pg_restore --list reads the beginning only, and is content with half a dump.
export const verify = defineHook('verifyBackups', async ({ points, openArtifact, exec }) => {
  for (const { id } of points) {
    await exec.container(where, { command: ['pg_restore', '--file=/dev/null'], stdin: openArtifact(id) })
  }
})
