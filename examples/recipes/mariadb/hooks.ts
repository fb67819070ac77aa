// A dump of a MariaDB database, made by the program of the database's own container.
import { defineHook, type Permission } from '@holdfast/sdk'

const where = { pod: process.env['POD_NAME'] ?? 'shop-0', container: 'mariadb' }
const permissions: readonly Permission[] = [
  { apiGroup: '', resource: 'pods', verbs: ['get'], scope: 'namespace', why: 'is it running?' },
  { apiGroup: '', resource: 'pods/exec', verbs: ['create', 'get'], scope: 'namespace', why: 'mariadb-dump runs there' },
]
// The password is that container's own variable, put in by its own shell: it is in no argv, and never here.
const mariadbDump = `MYSQL_PWD="$MARIADB_ROOT_PASSWORD" exec mariadb-dump --user=root --single-transaction --quick \
  --routines --events --triggers --hex-blob --databases "$MARIADB_DATABASE"`

export const dump = defineHook(
  'backups',
  ({ createArtifact, exec }) =>
    createArtifact(
      'shop.sql',
      (stdout) =>
        exec.container(where, { command: ['sh', '-c', mariadbDump], stdout, integrity: 'sha256', idleTimeout: '5m' }),
      { minSize: 10_000 }, // that of an empty database has less than 2000 bytes
    ),
  { permissions },
)

// The last line of every dump that was written to its end.
export const verify = defineHook('verifyBackups', async ({ points, openArtifact }) => {
  for (const { id } of points) {
    let end = Buffer.alloc(0)
    for await (const chunk of openArtifact(id)) end = Buffer.concat([end, chunk]).subarray(-100)
    if (!/\n-- Dump completed.*\n$/.test(end.toString())) throw new Error(`${id} was not written to its end`)
  }
})
