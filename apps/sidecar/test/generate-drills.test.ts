import type { KubernetesObject } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { findManifestProblems } from '../../../scripts/kubernetes-models.ts'
import { mountedFiles, patched, readObjects, type Pod, type Workload } from './support/manifests.ts'
import { workspace, type Workspace } from './support/workspace.ts'

type CronJob = KubernetesObject & {
  readonly spec: {
    readonly schedule: string
    readonly jobTemplate: {
      readonly spec: { readonly activeDeadlineSeconds: number; readonly template: { spec: Pod } }
    }
  }
}

/** A plan by a hook module, with a drill that scripts look at. */
function drilled(): Workspace {
  const here = workspace({
    'holdfast.yaml': `storage: file:///backups
plans:
  shop: { schedule: { cron: '0 3 * * *' }, use: [./dump.ts] }
drills:
  shop:
    plan: shop
    schedule: { cron: '0 5 * * 7', timeZone: Europe/Berlin }
    budget: 2h
    expect: ./drills/shop
    cleanup: ./drills/cleanup.ts
  by-hand: { plan: shop, expect: ./drills/one.sh }
`,
    'dump.ts': `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('backups', () => {})\n`,
    'drills/cleanup.ts': 'export default () => {}\n',
  })
  here.write('drills/shop/10-rows', '#!/bin/sh\nkubectlexec true\n', 0o755)
  here.write('drills/shop/lib/functions', 'left alone', 0o644)
  here.write('drills/one.sh', '#!/bin/sh\n', 0o755)
  return here
}

async function generated(here: Workspace, ...args: readonly string[]): Promise<readonly KubernetesObject[]> {
  const { code, stdout, stderr } = await here.run(['generate', 'kubernetes', ...args])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return readObjects(stdout)
}

test('the scripts of drills are where the configuration looks for them, and can be executed', async () => {
  const objects = await generated(drilled())
  const { volumes, initContainers = [] } = patched(objects.at(-1) as Workload).spec.template.spec
  const container = initContainers.find(({ args }) => args?.[0] === 'holdfast')
  const configMaps = objects.filter(({ kind }) => kind === 'ConfigMap')
  const files = mountedFiles({ configMaps, volumes, volumeMounts: container?.volumeMounts ?? [] })
  const programs = Object.entries(files).flatMap(([path, { mode }]) => (mode === 0o755 ? [path] : []))
  expect(programs.toSorted()).toEqual(['/etc/holdfast/drills/one.sh', '/etc/holdfast/drills/shop/10-rows'])
  expect(files['/etc/holdfast/drills/shop/10-rows']?.bytes.toString()).toBe('#!/bin/sh\nkubectlexec true\n')
  expect(Object.keys(files)).toContain('/etc/holdfast/drills/cleanup.ts')
  expect(Object.keys(files)).not.toContain('/etc/holdfast/drills/shop/lib/functions')
  expect(
    objects.flatMap((each) => findManifestProblems(each.kind === 'Deployment' ? patched(each as Workload) : each)),
  ).toEqual([])
})

test('as CronJobs, a drill is one of its own, also where it is called like a plan', async () => {
  const objects = await generated(drilled(), '--form', 'cronjob')
  const jobs = objects.filter(({ kind }) => kind === 'CronJob') as CronJob[]
  expect(jobs.map(({ metadata }) => metadata.name)).toEqual(['holdfast-shop', 'holdfast-drill-shop'])
  expect(jobs[1]?.spec).toMatchObject({
    schedule: '0 5 * * 0',
    jobTemplate: {
      spec: {
        activeDeadlineSeconds: 2 * 3600 + 1800,
        template: { spec: { containers: [{ args: ['holdfast', 'drill', 'shop'] }] } },
      },
    },
  })
  expect(objects.flatMap(findManifestProblems)).toEqual([])
})

test('what scripts of drills need is in the Role, with the reason', async () => {
  const { code, stdout } = await drilled().run(['generate', 'rbac'])
  expect(code).toBe(0)
  const role = readObjects(stdout).find(({ kind }) => kind === 'Role') as unknown as {
    rules: { resources: string[] }[]
  }
  expect(role.rules.flatMap(({ resources }) => resources)).toEqual(expect.arrayContaining(['pods', 'pods/exec']))
})
