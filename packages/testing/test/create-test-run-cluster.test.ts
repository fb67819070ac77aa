// A run that reaches a fake cluster: its API, and commands in its containers.
import { defineHook } from '@holdfast/sdk'
import { expect, test } from 'vitest'
import { createTestRun } from '../src/create-test-run.ts'
import { startFakeKubernetes } from '../src/fake-kubernetes/start-fake-kubernetes.ts'

test('a hook sees the objects of the cluster, and runs commands in its containers', async () => {
  await using server = await startFakeKubernetes({ namespace: 'shop', tls: true })
  server.addPod({ name: 'shop-0', containers: [{ name: 'database' }] })
  const seen: string[] = []
  const dump = defineHook(
    'backups',
    async ({ createArtifact, exec, kubernetes }) => {
      for await (const { metadata } of kubernetes?.list('pods') ?? []) seen.push(metadata.name)
      await createArtifact('dump', (stdout) =>
        exec.container({ pod: 'shop-0', container: 'database' }, { command: ['echo', 'whole'], stdout }),
      )
    },
    { name: 'dump' },
  )

  await using run = await createTestRun({ use: [dump], cluster: server })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(seen).toEqual(['shop-0'])
  expect(server.execs.map(({ exit }) => exit?.code)).toEqual([0])
})

test('without a cluster a hook has none', async () => {
  let given: unknown = 'not called'
  const look = defineHook('maintain', ({ kubernetes }) => void (given = kubernetes), { name: 'look' })
  await using run = await createTestRun({ use: [look] })
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(given).toBeUndefined()
})
