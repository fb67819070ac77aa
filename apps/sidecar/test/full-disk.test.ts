// A disk that is really full: a small one of our own, which nobody else sees.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { shop } from './support/workspace.ts'

const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0
const main = join(import.meta.dirname, '../src/holdfast.ts')
const entry = `import(${JSON.stringify(main)}).then(({ main }) => main())`

test.runIf(canMount)(
  'fault F48: a full disk: nothing is committed, nothing is left behind, and nothing good goes',
  async () => {
    const here = shop()
    here.script('backups/10-dump', 'head -c 3000000 /dev/urandom | base64 -w 0 > big; save_artifact orders.sql big')
    for (let count = 0; count < 2; count++) {
      expect((await here.run(['run', 'shop', '--storage', `file://${here.at('store')}`])).code).toBe(0)
    }
    mkdirSync(here.at('full'))
    // Room for what is there and a megabyte or two; the retention of the plan would let the older one go.
    const script = `
set -e
mount -t tmpfs -o size=8m none full
cp -r store full/store
'${process.execPath}' --conditions=@holdfast/source -e '${entry}' holdfast run shop --storage "file://$PWD/full/store" || echo "run: $?"
diff -r -x .owner store full/store && echo unchanged
`
    const env = { PATH: process.env['PATH'], HOME: here.path, HOLDFAST_STATE_DIR: here.state }
    const { stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script], {
      cwd: here.path,
      env: { ...env, TARGET_CONTAINER: 'app', POD_NAME: 'pod' },
      encoding: 'utf8',
    })
    expect(stdout).toBe('run: 1\nunchanged\n')
    expect(stderr).toContain('STORAGE_FULL')
  },
)
