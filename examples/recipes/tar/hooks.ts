// A directory of another container as an archive.
import { defineHook, type Permission } from '@holdfast/sdk'

const where = { pod: process.env['POD_NAME'] ?? 'shop-0', container: 'web' }
const permissions: readonly Permission[] = [
  { apiGroup: '', resource: 'pods', verbs: ['get'], scope: 'namespace', why: 'is it running?' },
  { apiGroup: '', resource: 'pods/exec', verbs: ['create', 'get'], scope: 'namespace', why: 'tar runs there' },
]
// Fails where a file changed while tar read it: that file's copy may be half old, half new.
const command = ['tar', '-C', '/data', '--exclude=./.before', '-cf', '-', '.'] as const

export const dump = defineHook(
  'backups',
  ({ createArtifact, exec }) =>
    createArtifact('shop.tar', (stdout) =>
      exec.container(where, { command, stdout, integrity: 'sha256', idleTimeout: '5m' }),
    ),
  { permissions },
)

// Finds the header of every file, and the zeros that end an archive: tar -t alone is content without them.
export const verify = defineHook('verifyBackups', async ({ points, openArtifact, exec }) => {
  for (const { id } of points) {
    let end = ''
    const write = async (chunk: Uint8Array): Promise<void> => {
      end = `${end}${Buffer.from(chunk).toString()}`.slice(-100)
    }
    await exec.local({ command: ['tar', '-tRf', '-'], stdin: openArtifact(id), stdout: { write } })
    if (!end.includes('Block of NULs')) throw new Error(`${id} has no end`)
  }
})
