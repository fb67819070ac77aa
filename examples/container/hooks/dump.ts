// A dump of another container: pg_dump runs where the database is, and its output becomes an artifact here.
import { defineHook } from '@holdfast/sdk'

export default defineHook(
  'backups',
  ({ createArtifact, exec }) =>
    createArtifact('shop.dump', (stdout) =>
      exec.container(
        { pod: process.env['POD_NAME'] ?? 'shop-0', container: 'database' },
        // Counted and hashed in the container as well: half a dump is none, and neither is one that changed on its way.
        { command: ['pg_dump', '--format=custom', 'shop'], stdout, integrity: 'sha256', idleTimeout: '5m' },
      ),
    ),
  {
    permissions: [
      { apiGroup: '', resource: 'pods', verbs: ['get'], scope: 'namespace', why: 'is the database running?' },
      { apiGroup: '', resource: 'pods/exec', verbs: ['create', 'get'], scope: 'namespace', why: 'pg_dump runs there' },
    ],
  },
)
