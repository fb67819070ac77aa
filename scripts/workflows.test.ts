// Workflows run with rights that others would like to have: what they use is named by its content, they have no right that
// they don't use, and nothing that strangers write gets into a shell.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { root } from './workspaces.ts'

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions?: Readonly<Record<string, string>>
        readonly 'timeout-minutes'?: number
        readonly steps: readonly Step[]
      }
    >
  >
}

const files = globSync(
  ['.github/workflows/*.yml', 'packages/create-holdfast-plugin/template/.github/workflows/*.yml'],
  {
    cwd: root,
  },
)
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
}

describe.each(files)('%s', (file) => {
  const text = readFileSync(join(root, file), 'utf8')
  const { permissions, jobs } = parse(text) as Workflow
  const steps = Object.values(jobs).flatMap((job) => job.steps)

  test('uses actions by their commit, and says which version that is', () => {
    const used = [...text.matchAll(/^\s*-?\s*uses: (.*)$/gm)].map(([, what]) => what)
    expect(used).toHaveLength(steps.filter(({ uses }) => uses !== undefined).length)
    for (const what of used) expect(what).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  test('names one commit per action', () => {
    const commits = new Map<string, Set<string>>()
    for (const { uses } of steps) {
      const [action = '', commit = ''] = uses?.split('@') ?? []
      if (uses !== undefined) commits.set(action, (commits.get(action) ?? new Set()).add(commit))
    }
    for (const [action, all] of commits) expect({ action, commits: all.size }).toEqual({ action, commits: 1 })
  })

  test('has at most the right to read, and each job what it needs beyond that', () => {
    expect([{}, { contents: 'read' }]).toContainEqual(permissions)
    for (const [name, job] of Object.entries(jobs)) {
      expect({ name, ends: (job['timeout-minutes'] ?? 0) > 0 }).toEqual({ name, ends: true })
      const run = job.steps.map((step) => `${step.run ?? ''}`).join('\n')
      const hasPages = job.steps.some(({ uses }) => uses?.startsWith('actions/deploy-pages@'))
      const needs = {
        'id-token': hasPages || /cosign (sign|attest)|npm run release\b|npm publish/.test(run),
        pages: hasPages,
        contents: /git push/.test(run),
        'pull-requests': /gh pr create/.test(run),
      }
      for (const [right, isNeeded] of Object.entries(needs)) {
        expect({ name, right, has: job.permissions?.[right] === 'write' }).toEqual({ name, right, has: isNeeded })
      }
    }
  })

  test('leaves no credentials in the checkout, and puts no expression into a shell line', () => {
    for (const { uses, run, with: options } of steps) {
      if (uses?.startsWith('actions/checkout@') === true)
        expect(options).toMatchObject({ 'persist-credentials': false })
      expect(run ?? '').not.toContain('${{')
    }
  })

  test('calls scripts that there are', () => {
    if (file.includes('template')) return
    for (const { run } of steps) {
      for (const [, name = ''] of run?.matchAll(/npm run ([\w:-]+)/g) ?? []) expect(scripts).toHaveProperty([name])
      for (const [, path = ''] of run?.matchAll(/node (scripts\/[\w/.-]+)/g) ?? []) {
        expect({ path, exists: existsSync(join(root, path)) }).toEqual({ path, exists: true })
      }
    }
  })
})

test('a release is made of changesets, and all that it publishes is signed and says what is inside', () => {
  const { jobs } = parse(readFileSync(join(root, '.github/workflows/release.yml'), 'utf8')) as Workflow
  const runOf = (name: string): string => jobs[name]?.steps.map(({ run }) => run ?? '').join('\n') ?? ''
  const has: Readonly<Record<string, readonly RegExp[]>> = {
    check: [/\.ci\/run/],
    version: [/npm run version-packages/],
    packages: [
      /npm run release:sboms/,
      /npm run release\b/,
      /cosign sign-blob .*--bundle/,
      /gh release create .*cdx\.json/,
    ],
    images: [/buildx bake .*--push/, /cosign sign .*"\$IMAGE@\$digest"/, /cosign attest .*cyclonedx/],
    chart: [/helm push/, /cosign sign .*"\$CHARTS\/holdfast@\$digest"/],
  }
  for (const [job, commands] of Object.entries(has)) for (const command of commands) expect(runOf(job)).toMatch(command)
  const publish = jobs['packages']?.steps.find(({ run }) => run?.includes('npm run release\n'))
  expect(publish?.env).toMatchObject({ NPM_CONFIG_PROVENANCE: 'true' })
  const bake = readFileSync(join(root, 'apps/sidecar/docker-bake.hcl'), 'utf8')
  expect(bake).toContain('attest = ["type=sbom", "type=provenance,mode=max"]')
})
