// A copy of an SQLite database as of one moment, made and checked by sqlite3 in the application's container.
import { defineHook, type Permission } from '@holdfast/sdk'

const where = { pod: process.env['POD_NAME'] ?? 'shop-0', container: 'shop' }
const permissions: readonly Permission[] = [
  { apiGroup: '', resource: 'pods', verbs: ['get'], scope: 'namespace', why: 'is it running?' },
  { apiGroup: '', resource: 'pods/exec', verbs: ['create', 'get'], scope: 'namespace', why: 'sqlite3 runs there' },
]
// The application goes on meanwhile. The copy of a run that was killed is removed by the next one.
const copy = `rm -f /tmp/copy.sqlite
sqlite3 /data/shop.sqlite '.timeout 10000' "VACUUM INTO '/tmp/copy.sqlite'"
cat /tmp/copy.sqlite
rm /tmp/copy.sqlite`

export const dump = defineHook(
  'backups',
  ({ createArtifact, exec }) =>
    createArtifact('shop.sqlite', (stdout) =>
      exec.container(where, { command: ['sh', '-euc', copy], stdout, integrity: 'sha256' }),
    ),
  { permissions },
)

// Reads every page, and compares indexes and constraints with the rows.
const check = 'cat >/tmp/check.sqlite; sqlite3 /tmp/check.sqlite "PRAGMA integrity_check"; rm /tmp/check.sqlite'

export const verify = defineHook('verifyBackups', async ({ points, openArtifact, exec }) => {
  for (const { id } of points) {
    const { stdout } = await exec.container(where, { command: ['sh', '-euc', check], stdin: openArtifact(id) })
    if (stdout !== 'ok\n') throw new Error(`${id}: ${stdout}`)
  }
})
