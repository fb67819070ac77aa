// What a release is made with, as far as it runs on any machine. The workflow that calls it: workflows.test.ts.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { renderChangelog } from './docs/changelog-page.ts'
import { listWorkspaces, readManifest, root } from './workspaces.ts'
import { notesOf } from './release/notes.ts'
import { packageSboms } from './release/package-sboms.ts'
import { writeRepository } from './release/provenance.ts'
import { findOldVersions, writeVersions } from './release/versions.ts'

/** The manifests, and what repeats their versions. */
function copyOfManifests(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-release-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const files = listWorkspaces().map((each) => `${each.folder}/package.json`)
  const sources = ['sdk', 'plugin-scripts', 'plugin-benji', 'plugin-mongodump'].map((name) => `packages/${name}/src`)
  const repeats = [...sources, 'apps/sidecar/src/crontab.ts', 'charts/holdfast/Chart.yaml']
  for (const file of ['package.json', ...files, ...repeats]) {
    mkdirSync(join(folder, file, '..'), { recursive: true })
    cpSync(join(root, file), join(folder, file), { recursive: true })
  }
  return folder
}

test('what repeats a version says that of its package', () => {
  expect(findOldVersions()).toEqual([])
})

test('a release takes its versions and its changelogs from the changesets, and leaves nothing that says an old version', () => {
  const from = mkdtempSync(join(tmpdir(), 'holdfast-release-'))
  onTestFinished(() => rmSync(from, { recursive: true }))
  execFileSync('git', ['clone', '--quiet', '--shared', root, from], { stdio: 'ignore' })
  symlinkSync(join(root, 'node_modules'), join(from, 'node_modules'))
  const sentence = 'What this test says has changed.'
  writeFileSync(join(from, '.changeset/of-the-test.md'), `---\n'@holdfast/sdk': minor\n---\n\n${sentence}\n`)
  const before = readManifest(join(from, 'packages/sdk')).version
  expect(renderChangelog(from)).toContain(`**sdk**\n\n${sentence}\n`)

  execFileSync(process.execPath, [join(root, 'node_modules/@changesets/cli/bin.js'), 'version'], {
    cwd: from,
    stdio: 'pipe',
  })
  writeVersions(from)

  const { version } = readManifest(join(from, 'packages/sdk'))
  expect(version).not.toBe(before)
  expect(readManifest(join(from, 'packages/runtime')).version).toBe(version)
  expect(notesOf(`@holdfast/sdk@${version}`, from)).toContain(sentence)
  expect(findOldVersions(from)).toEqual([])
  expect(renderChangelog(from)).toContain(`\n## ${version}\n`)
  expect(renderChangelog(from)).toContain(sentence)
  expect(readdirSync(join(from, '.changeset')).toSorted()).toEqual(['README.md', 'config.json'])
  // Who depends on a package of ours depends on the one that is released with it.
  for (const { manifest } of listWorkspaces(from)) {
    for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
      const ours = listWorkspaces(from).find((each) => each.manifest.name === name)
      if (ours)
        expect(`${manifest.name} → ${name} ${range}`).toBe(`${manifest.name} → ${name} ${ours.manifest.version}`)
    }
  }
})

test('a new version of the packages is written wherever it is repeated', () => {
  const from = copyOfManifests()
  for (const file of [
    'packages/sdk/package.json',
    'packages/plugin-scripts/package.json',
    'apps/sidecar/package.json',
  ]) {
    const text = readFileSync(join(from, file), 'utf8').replace(/"version": ".*"/, '"version": "9.1.0"')
    writeFileSync(join(from, file), text)
  }
  expect(findOldVersions(from)).toHaveLength(5)
  writeVersions(from)
  expect(findOldVersions(from)).toEqual([])
  expect(readFileSync(join(from, 'packages/sdk/src/internal.ts'), 'utf8')).toContain(
    "export const sdkVersion = '9.1.0'\n",
  )
  expect(readFileSync(join(from, 'charts/holdfast/Chart.yaml'), 'utf8')).toContain(
    "\nversion: 9.1.0\nappVersion: '9.1.0'\n",
  )
})

test('every public package names the repository that publishes it, and nothing else of it changes', () => {
  const from = copyOfManifests()
  writeRepository('somebody/holdfast', from)
  for (const { folder, manifest } of listWorkspaces()) {
    const { repository, ...rest } = JSON.parse(readFileSync(join(from, folder, 'package.json'), 'utf8')) as {
      readonly repository?: object
    }
    expect(rest).toEqual(manifest)
    const named = { type: 'git', url: 'git+https://github.com/somebody/holdfast.git', directory: folder }
    expect(repository).toEqual(manifest.private === true ? undefined : named)
  }
  expect(() => writeRepository('', from)).toThrow('is no OWNER/NAME')
  expect(() => writeRepository('a/b/c', from)).toThrow('is no OWNER/NAME')
})

test('each public package has an SBOM of what it brings along, and of nothing else', () => {
  const sboms = new Map(
    packageSboms().map(({ file, text }) => [
      file.replace(/-\d+\.\d+\.\d+\.cdx\.json$/, ''),
      JSON.parse(text) as {
        readonly metadata: { readonly component: { readonly name: string } }
        readonly components: readonly { readonly name: string; readonly version: string; readonly licenses?: unknown }[]
      },
    ]),
  )
  const namesIn = (name: string): readonly string[] => sboms.get(name)?.components.map((each) => each.name) ?? []
  expect(sboms.size).toBe(listWorkspaces().filter(({ manifest }) => manifest.private !== true).length)
  expect(namesIn('holdfast-sdk')).toEqual(['@standard-schema/spec'])
  expect(namesIn('create-holdfast-plugin')).toEqual([])
  expect(namesIn('holdfast-testing')).toEqual(
    expect.arrayContaining(['@holdfast/runtime', '@holdfast/sdk', 'ws', 'croner']),
  )
  for (const [name, { components }] of sboms) {
    for (const each of components)
      expect({ of: name, ...each }).toMatchObject({ version: expect.stringMatching(/^\d/), licenses: [{}] })
    expect(namesIn(name).filter((each) => /^(vitest|typescript|tsup|jest)$/.test(each))).toEqual([])
  }
})

test("a release's notes are its version's part of the changelog", () => {
  const from = copyOfManifests()
  const log = '# @holdfast/sdk\n\n## 1.2.0\n\n### Minor Changes\n\n- New.\n\n## 1.1.0\n\n- Old.\n'
  writeFileSync(join(from, 'packages/sdk/CHANGELOG.md'), log)
  expect(notesOf('@holdfast/sdk@1.2.0', from)).toBe('### Minor Changes\n\n- New.')
  expect(notesOf('@holdfast/sdk@1.1.0', from)).toBe('- Old.')
  expect(() => notesOf('@holdfast/sdk@1.0.0', from)).toThrow('says nothing about 1.0.0')
  expect(() => notesOf('other@1.0.0', from)).toThrow('no package is called "other"')
})

test('pages say how to verify a release, and a release does it: with programs that note what they are asked', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-release-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const program of ['npm', 'gh', 'cosign', 'docker']) {
    writeFileSync(join(folder, program), `#!/bin/sh\necho "${program} $*" >>"$ASKED"\n`, { mode: 0o755 })
  }
  const asked = join(folder, 'asked')
  const env = {
    ASKED: asked,
    PATH: `${folder}:/usr/bin:/bin`,
    REPOSITORY: 'acme/holdfast',
    VERSION: '1.1.0',
    IMAGE: 'registry.example/holdfast@sha256:abc',
  }
  const blocks = [
    ...readFileSync(join(root, '.github/workflows/release.yml'), 'utf8').matchAll(/print-block\.ts (\S+) '([\w-]+)'/g),
  ]
  for (const [, page = '', name = ''] of blocks) {
    const block = execFileSync(process.execPath, [join(root, 'scripts/print-block.ts'), page, name])
    execFileSync('bash', ['-eu'], { input: block, env, cwd: folder })
  }
  const issuer = '--certificate-oidc-issuer https://token.actions.githubusercontent.com'
  const signer = '--certificate-identity https://github.com/acme/holdfast/.github/workflows/release.yml@refs/heads/main'
  const list = 'holdfast-sidecar-1.1.0.cdx.json'
  expect(new Set(readFileSync(asked, 'utf8').trim().split('\n'))).toEqual(
    new Set([
      'npm install @holdfast/sidecar@1.1.0',
      'npm audit signatures',
      `gh release download @holdfast/sidecar@1.1.0 --repo acme/holdfast --pattern ${list}*`,
      `cosign verify-blob ${list} --bundle ${list}.sigstore.json ${issuer} ${signer}`,
      `cosign verify registry.example/holdfast@sha256:abc ${issuer} ${signer}`,
      'docker buildx imagetools inspect registry.example/holdfast@sha256:abc --format {{ json .SBOM }}',
    ]),
  )
})
