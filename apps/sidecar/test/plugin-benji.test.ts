import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { workspace } from './support/workspace.ts'

const { loads } = vi.hoisted(() => ({ loads: { count: 0 } }))

vi.mock('@holdfast/plugin-benji', async (original) => {
  loads.count++
  return original()
})

beforeEach(() => vi.resetModules())
afterEach(() => vi.unstubAllEnvs())

test('is loaded for lines of Benji alone: nobody else pays for it', async () => {
  const without = workspace({ crontab: '0 3 * * * root pg_dump shop\n0 4 * * * root benji-backup-pvc | cat\n' })
  expect(await without.run(['validate'])).toMatchObject({ code: 0 })
  expect(loads.count).toBe(0)
  const using = workspace({ crontab: '0 3 * * * root benji-command cleanup\n' })
  expect(await using.run(['validate'])).toMatchObject({ code: 0 })
  expect(loads.count).toBe(1)
})

test('can be used in configurations that have no node_modules', async () => {
  const here = workspace({
    'holdfast.config.ts': `import { benjiCleanup, benjiEnforce } from '@holdfast/plugin-benji'
export default { plans: [{ name: 'upkeep', use: [benjiEnforce({ rules: 'latest3' }), benjiCleanup({})] }] }
`,
  })
  expect(await here.run(['validate'])).toMatchObject({ code: 0 })
  const yaml = workspace({
    'holdfast.yaml': `plans: { upkeep: { use: [{ '@holdfast/plugin-benji#benjiEnforce': { rules: latest0 } }] } }\n`,
  })
  const { code, stderr } = await yaml.run(['validate'])
  expect(code).toBe(78)
  expect(stderr).toContain('rules')
})

test('its backups are kept by Benji: nothing is said about artifacts in the state directory', async () => {
  const here = workspace({
    'holdfast.yaml': `plans:
  images: { use: [{ '@holdfast/plugin-benji#benjiBackup': { images: [rbd/one] } }] }
`,
  })
  const { stderr } = await here.run(['run', 'images', '--dry-run'])
  expect(stderr).not.toContain('artifacts are kept in the state directory')
  const scripts = workspace({
    'holdfast.yaml': `plans: { own: { use: [{ '@holdfast/plugin-scripts#scripts': { path: ./scripts } }] } }\n`,
  })
  scripts.script('backups/10', 'true')
  expect((await scripts.run(['run', 'own', '--dry-run'])).stderr).toContain('artifacts are kept in the state directory')
})
