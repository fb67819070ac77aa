// What commands say of what they may not do in the cluster.
import { advanceUntil, startFakeKubernetes, testClock, type FakeKubernetes, type TestClock } from '@holdfast/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { workspace, type Workspace } from './support/workspace.ts'

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

describe('a run', () => {
  const files = {
    'a.mjs': `import { defineHook } from '@holdfast/sdk'\nexport default defineHook('maintain', () => {})\n`,
    'b.mjs': `import { defineHook } from '@holdfast/sdk'
export default defineHook('maintain', () => {}, {
  permissions: [{ scope: 'namespace', apiGroup: '', resource: 'pods/exec', verbs: ['create'], why: 'it runs something' }],
})\n`,
    'holdfast.yaml':
      'replicas: leader\nplans: { a: { use: [./a.mjs] }, b: { use: [./b.mjs], schedule: { cron: "0 3 * * *" } } }\n',
  }
  async function pod(): Promise<{ server: FakeKubernetes; here: Workspace; env: NodeJS.ProcessEnv }> {
    const server = await startFakeKubernetes({ namespace: 'shop' })
    onTestFinished(() => server[Symbol.asyncDispose]())
    const here = workspace({ ...files, kubeconfig: server.kubeconfig() })
    const env = { KUBECONFIG: here.at('kubeconfig'), KUBERNETES_SERVICE_HOST: '127.0.0.1', POD_NAME: 'shop-0' }
    return { server, here, env }
  }

  /** Until something is so, by this clock. @returns how long that took */
  async function timeUntil(clock: TestClock, isSo: () => boolean): Promise<number> {
    const began = clock.monotonic()
    for (let round = 0; !isSo() && round < 3000; round++) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      await clock.advance(5)
    }
    return clock.monotonic() - began
  }

  test('is told only of what it needs itself: not of other plans, of the lease, or of undos that it has none of', async () => {
    const { server, here, env } = await pod()
    for (const resource of ['leases', 'pods', 'pods/exec']) server.authorize.deny({ verb: '*', resource })
    const said = async (plan: string): Promise<readonly string[]> => {
      const { stderr } = await here.run(['run', plan], { env })
      return [...new Set([...stderr.matchAll(/ may not (\w+ \S+)/g)].map(([, what = '']) => what))]
    }
    expect(await said('a')).toEqual([])
    expect(await said('b')).toEqual(['create pods/exec'])
  })

  test('fault F29: begins after a second or two, though the API server does not answer', async () => {
    const { server, here, env } = await pod()
    server.misbehave({ path: /./ }, 'half-open')
    const clock = testClock()
    const running = here.start(['run', 'a', '--log-format', 'json'], { clock, env })
    const hasEnded = (): boolean => running.stderr().includes('plan \\"a\\" succeeded')
    expect(await timeUntil(clock, hasEnded)).toBeLessThan(2500)
    expect((await advanceUntil(clock, running.result)).code).toBe(0)
  })

  test('fault F29: a daemon schedules after a second or two, though a plan of it needs the API server', async () => {
    const { server, here, env } = await pod()
    here.write('holdfast.yaml', files['holdfast.yaml'].replace('replicas: leader\n', ''))
    server.misbehave({ path: /./ }, 'half-open')
    const clock = testClock()
    const running = here.start(['daemon'], { clock, env })
    expect(await timeUntil(clock, () => running.stderr().includes('"msg":"scheduling"'))).toBeLessThan(2500)
    expect(running.stderr()).toContain('has not said yet what this pod may do')
    running.signal('SIGTERM')
    expect(await timeUntil(clock, () => running.stderr().includes('SIGTERM: stopping'))).toBeLessThan(1000)
    expect((await advanceUntil(clock, running.result)).code).toBe(0)
    expect(running.stderr()).not.toContain('"level":"error"')
  })
})
