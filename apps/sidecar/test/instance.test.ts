import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { instanceOfPod } from '../src/instance.ts'
import { shop } from './support/workspace.ts'

const cluster = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }
const each = { instance: 'default', replicas: 'each' } as const

test.each([
  ['a pod of a StatefulSet', { ...cluster, POD_NAME: 'database-0' }, 'default-0'],
  ['the eleventh of them', { ...cluster, POD_NAME: 'data-base-10' }, 'default-10'],
  ['a pod of a Deployment', { ...cluster, POD_NAME: 'web-5d8f7c9b4-x2x4z' }, 'default'],
  ['a pod of a Deployment whose random part is all digits', { ...cluster, POD_NAME: 'web-5d8f7c9b4-24567' }, 'default'],
  ['what the label says', { ...cluster, POD_NAME: 'database-0', HOLDFAST_POD_INDEX: '3' }, 'default-3'],
  ['a pod that nobody named', cluster, 'default'],
  ['sidefridge’s variable outside of a cluster', { POD_NAME: 'database-0' }, 'default'],
])('%s', (_, env, expected) => {
  expect(instanceOfPod(each, env)).toBe(expected)
})

test('where one of several pods leads, all of them are one instance', () => {
  expect(instanceOfPod({ ...each, replicas: 'leader' }, { ...cluster, POD_NAME: 'web-0' })).toBe('default')
})

test('a command in a pod of a StatefulSet works with its own part of the store', async () => {
  const here = shop()
  here.script('backups/10-dump', `printf x | save_artifact orders`)
  // No token is mounted here: what needs no API works.
  const env = { ...cluster, POD_NAME: 'shop-1' }
  expect((await here.run(['run', 'shop'], { env })).code).toBe(0)
  expect(JSON.parse((await here.run(['list', '--json'], { env })).stdout)).toHaveLength(1)
  expect(readdirSync(here.store)).toContain('default-1')
  expect(JSON.parse((await here.run(['list', '--json'], { env: { ...env, POD_NAME: 'shop-2' } })).stdout)).toEqual([])
})
