// What commands say of what they may not do in the cluster.
import { startFakeKubernetes } from '@holdfast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { workspace } from './support/workspace.ts'

test('with the Lease that was made for it, a pod needs no right to create one', async () => {
  const server = await startFakeKubernetes({ namespace: 'shop' })
  onTestFinished(() => server[Symbol.asyncDispose]())
  server.authorize.deny({ verb: 'create', resource: 'leases' })
  const here = workspace({
    'hook.mjs': `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('backups', () => {})\n`,
    'holdfast.yaml': 'replicas: leader\nplans: { shop: { use: [./hook.mjs] } }\n',
    kubeconfig: server.kubeconfig(),
  })
  const validate = async (lease: string): Promise<string> => {
    const env = {
      KUBECONFIG: here.at('kubeconfig'),
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      POD_NAME: 'shop-0',
      HOLDFAST_LEASE: lease,
    }
    const { code, stderr } = await here.run(['validate', '--log-format', 'pretty'], { env })
    expect({ code, stderr }).toMatchObject({ code: 0 })
    return stderr
  }
  expect(await validate('shop-holdfast')).not.toContain('may not')
  expect(await validate('')).toContain('Holdfast itself may not create leases in namespace "shop"')
  server.authorize.deny({ verb: 'update', resource: 'leases', name: 'shop-holdfast' })
  expect(await validate('shop-holdfast')).toContain('Holdfast itself may not update leases "shop-holdfast"')
})
