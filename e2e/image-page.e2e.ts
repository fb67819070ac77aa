// docs/images.md, and what other pages do with an image: typed as it stands there, on the images that e2e/up.sh has built
// (e2e/support/bin/docker).
import { chmodSync, cpSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { blockOf } from '../scripts/page-blocks.ts'
import { createProject, environment, runCommand, type Project } from './support/cli.ts'
import { succeed } from './support/kubectl.ts'
import { readerOf, type Reader } from './support/page.ts'
import { startRegistry } from './support/registry.ts'

const root = join(import.meta.dirname, '..')
const docker = (...args: readonly string[]): Promise<string> =>
  succeed(join(import.meta.dirname, 'support/bin/docker'), args)
const projects: Project[] = []
const built: string[] = []
afterAll(async () => {
  projects.forEach((project) => project.remove())
  await docker('container', 'prune')
  if (built.length > 0) await docker('rmi', ...built)
})

/** An image from a Dockerfile, for as long as these tests run. */
async function build(name: string, files: Readonly<Record<string, string>>, project = createProject()): Promise<void> {
  projects.push(project)
  for (const [file, text] of Object.entries(files)) project.write(file, text)
  await docker('build', '-t', name, project.path)
  built.push(name)
}

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

test('docs/images.md: with a package of Debian, for a user without rights', async () => {
  await docker('build', '-t', 'holdfast:1.0.0', 'dist-image')
  await build('with-postgresql', { Dockerfile: blockOf('docs/images.md', 'packages') })
  expect(await docker('run', '--rm', 'with-postgresql', 'pg_dump', '--version')).toMatch(/^pg_dump \(PostgreSQL\) \d/)
  expect((await docker('run', '--rm', 'with-postgresql', 'id', '-u')).trim()).toBe('1000')
})

test('docs/images.md: Benji, with another configuration and another crontab', async () => {
  await reader('docs/images.md').type('benji-images')
  const configuration = 'configurationVersion: "1"\n'
  const crontab = '0 3 * * * root benji-backup-pvc\n'
  const Dockerfile = blockOf('docs/images.md', 'benji-configuration')
  await build('with-crontab', { Dockerfile, crontab, 'benji.yaml': configuration })
  // Where Benji looks, and what the scheduler reads.
  expect(await docker('run', '--rm', 'with-crontab', 'cat', '/etc/benji/benji.yaml')).toBe(configuration)
  expect(await docker('run', '--rm', 'with-crontab', 'cat', '/benji/etc/crontab')).toBe(crontab)
})

test('docs/publish-a-plugin.md: with a plugin that npm has, beside a configuration that uses it', async () => {
  await docker('build', '-t', 'holdfast:1.0.0', 'dist-image')
  const project = createProject()
  projects.push(project)
  // The author: what `npm create holdfast-plugin` begins, published as 1.2.0.
  const plugin = project.at('holdfast-plugin-redis')
  const create = join(root, 'packages/create-holdfast-plugin/bin/create-holdfast-plugin.js')
  await succeed(process.execPath, [create, 'redis'], { cwd: project.path })
  symlinkSync(join(root, 'node_modules'), join(plugin, 'node_modules'))
  const author = { cwd: plugin, env: environment({ cwd: project.path }) }
  await succeed('npm', ['version', '--no-git-tag-version', '1.2.0'], author)
  await succeed('npm', ['run', 'build'], author)
  const dependencies = ['packages/sdk', 'node_modules/zod', 'node_modules/@standard-schema/spec']
  const packages = [plugin, ...dependencies.map((directory) => join(root, directory))]
  const registry = await startRegistry(packages, project.at('tarballs'))
  try {
    // Node's own image, of which the kit's has all but npm.
    const node = createProject()
    const npm = realpathSync((await succeed('which', ['npm'])).trim())
    cpSync(join(npm, '../..'), node.at('npm'), { recursive: true })
    const Dockerfile = `FROM holdfast.local/node:24
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
ENV npm_config_registry=${registry.url}
`
    await build('node:24-bookworm-slim', { Dockerfile }, node)
    const configuration = "plans: { files: { use: ['holdfast-plugin-redis#redis': { path: /etc/holdfast }] } }\n"
    await build('with-redis', {
      Dockerfile: blockOf('docs/publish-a-plugin.md', 'image'),
      'holdfast.yaml': configuration,
    })
  } finally {
    await registry.close()
  }
  const holdfast = (...args: readonly string[]): Promise<string> =>
    docker('run', '--rm', 'with-redis', 'holdfast', ...args, '--config', '/etc/holdfast/holdfast.yaml')
  expect(await holdfast('validate')).toContain('1 plan')
  expect(await holdfast('plan', 'files')).toContain('redis')
})
