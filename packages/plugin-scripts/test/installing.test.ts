import { expect, test, vi } from 'vitest'
import { missingForInstalling } from '../src/installing.ts'
import { sh } from './support/files.ts'
import { scriptRun } from './support/run.ts'

const writable = 'overlay / overlay rw,relatime,lowerdir=ro 0 0\nproc /proc proc ro 0 0\n'
const readOnly = 'rootfs / rootfs rw 0 0\noverlay / overlay ro,relatime 0 0\ntmpfs /tmp tmpfs rw 0 0\n'

test.for([
  [0, writable, undefined],
  [0, readOnly, 'readOnlyRootFilesystem: false'],
  [1000, writable, 'runAsUser: 0'],
  [1000, readOnly, 'runAsUser: 0 and readOnlyRootFilesystem: false'],
  [undefined, '', undefined],
] as const)('user %s installs packages: what is in the way', ([user, mounts, missing]) => {
  expect(missingForInstalling({ user, mounts })).toBe(missing)
})

test('sidefridge F18: a failed installation names the settings that it takes here, in install_dependencies only', async () => {
  const getuid = vi.spyOn(process, 'getuid').mockReturnValue(1000)
  const run = await scriptRun({
    'install_dependencies/10': sh('exit 100'),
    'backups/10': sh('exit 1'),
    'on_error/10': sh('echo "$1"'),
  })
  const { ok, results } = await run.test.engine.boot()
  const { outcome } = await run.run()
  getuid.mockRestore()
  expect(ok).toBe(false)
  expect(results[0]?.outcome.error?.hint).toMatch(/takes runAsUser: 0.* in the container's securityContext\./)
  expect(outcome.error?.code).toBe('SCRIPT_FAILED')
  expect(outcome.error?.hint).not.toContain('securityContext')
  // What scripts match against stays as it was.
  expect(run.output()[0]).toMatch(/^Script '.*\/install_dependencies\/10' finished with exit code '100'$/)
})
