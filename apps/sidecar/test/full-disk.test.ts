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
  'fault F48: a full disk: nothing is committed, nothing good goes, and a restore says what is missing',
  async () => {
    const here = shop()
    const big = 'head -c 3000000 /dev/urandom | base64 -w 0'
    here.script('backups/10-dump', `${big} > big; save_artifact orders.sql big`)
    for (let count = 0; count < 2; count++) {
      expect((await here.run(['run', 'shop', '--storage', `file://${here.at('store')}`])).code).toBe(0)
    }
    mkdirSync(here.at('full'))
    // Room for what is there and a megabyte; the retention of the plan would let the older one go.
    const script = `
set -e
mount -t tmpfs -o size=8m none full
cp -r store full/store
holdfast() { '${process.execPath}' --conditions=@holdfast/source -e '${entry}' holdfast "$@"; }
holdfast run shop --storage file://$PWD/full/store && echo never || echo "run: $?"
holdfast verify --all --storage file://$PWD/full/store && echo "verify: $?"
holdfast restore --bytes --plan shop --to full/out/ --storage file://$PWD/full/store && echo never || echo "restore: $?"
ls full
`
    const { stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script], {
      cwd: here.path,
      env: {
        PATH: process.env['PATH'],
        HOME: here.path,
        HOLDFAST_STATE_DIR: here.state,
        TARGET_CONTAINER: 'app',
        POD_NAME: 'pod',
      },
      encoding: 'utf8',
    })
    expect(stdout).not.toContain('never')
    expect(stdout).toContain('run: 1\n')
    expect(stderr).toContain('STORAGE_FULL')
    expect(stdout).toMatch(/2 artifacts read back, all good\nverify: 0\n/)
    expect(stdout).toContain('restore: 1\n')
    expect(stderr).toMatch(/there is not enough room in .*full\/out: .* are free, and 3\.8 MiB are needed/)
    expect(stdout).toMatch(/restore: 1\nstore\n$/)
  },
)
