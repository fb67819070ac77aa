// docs/images.md, and what other pages do with an image: typed as it stands there, on the images that e2e/up.sh has built
// (e2e/support/bin/docker).
import { chmodSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { createProject, runCommand, type Project } from './support/cli.ts'
import { succeed } from './support/kubectl.ts'
import { readerOf, type Reader } from './support/page.ts'

const docker = new URL('support/bin/docker', import.meta.url).pathname
const projects: Project[] = []
afterAll(async () => {
  projects.forEach((project) => project.remove())
  await succeed(docker, ['container', 'prune'])
})

/** Somebody with Docker, whose directory the images' user may write to. */
function reader(page: string, files = {}, here = {}): Reader & { readonly project: Project } {
  const project = createProject(files)
  projects.push(project)
  chmodSync(project.path, 0o777)
  const env = { HOLDFAST_E2E_DIR: process.env['HOLDFAST_E2E_DIR'] }
  return { ...readerOf({ page, cwd: project.path, env, here }), project }
}

test('docs/images.md: the image, and what is in it', async () => {
  const { type } = reader('docs/images.md')
  expect(await type('build')).toMatch(/^\d+\.\d+\.\d+$/m)
  expect(JSON.parse(await type('sbom'))).toMatchObject({ bomFormat: 'CycloneDX' })
})

test('docs/images.md: the images of Benji, one on top of the other', async () => {
  expect(await reader('docs/images.md').type('benji-images')).toBe('')
})

test('docs/restore.md: a restore where there is nothing but the image', async () => {
  const { type, project } = reader('docs/restore.md', {
    'holdfast.yaml': `plans: { shop: { use: [{ '@holdfast/plugin-scripts#scripts': { path: ./scripts } }] } }`,
    'scripts/backups/10-orders': '#!/bin/sh\necho "order 1" | save_artifact orders.txt\n',
  })
  await succeed('age-keygen', ['-o', project.at('key.txt')])
  const args = ['run', 'shop', '--storage', `file://${project.at('backups')}`, '--state-dir', project.at('state')]
  expect(await runCommand('holdfast', args, { cwd: project.path })).toMatchObject({ code: 0 })
  await type('image')
  expect(project.read('restored/orders.txt')).toBe('order 1\n')
})

test('docs/generate.md: the generator of sidefridge, in the image', async () => {
  const files = { 'scripts/backups/1_dump.sh': '#!/bin/sh\necho dump\n' }
  const here = { IMAGE: 'holdfast:1.0.0', NAMESPACE: 'shop', PROJECT_NAME: 'shop', CONTAINER_NAME: 'database' }
  const { type, project } = reader('docs/generate.md', files, here)
  expect(await type('docker')).toBe('')
  expect(project.read('shop-config-maps.yaml')).toContain('1_dump.sh')
})
