// The chart's other modes: CronJobs, and a sidecar of an application.
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { follow, onHost, releaseOf } from './support/helm.ts'
import { inventory, leftovers } from './support/inventory.ts'
import { apply, kubectl, waitFor } from './support/kubectl.ts'
import { images, reachesApi, useNamespace } from './support/namespace.ts'
import { execIn, logsOf, podsOf } from './support/pods.ts'

const namespace = useNamespace('chart-modes')

const script = (text: string): object => ({ directories: { backups: { '10-orders': `#!/bin/sh\nset -e\n${text}\n` } } })
const config = {
  plans: {
    shop: {
      schedule: { cron: '0 3 * * *' },
      use: [{ '@holdfast/plugin-scripts#scripts': { path: '/scripts' } }],
    },
  },
}

test('mode cronjob: a Job of the CronJob runs the plan once, and goes with the release', async () => {
  const release = releaseOf(namespace, 'once')
  const before = await inventory(namespace)
  const notes = await release.install({
    ...onHost,
    mode: 'cronjob',
    config,
    scripts: script('echo order 1 | save_artifact orders.txt'),
  })
  const cronJobs = await follow(notes, 'kubectl get')
  expect(cronJobs).toMatch(/cronjob\.batch\/once-holdfast-shop +0 3 \* \* \*/)
  const now = notes.replaceAll('NAME', 'once-holdfast-shop')
  await follow(now, 'kubectl create job')
  const [pod] = await waitFor('the Job’s pod', async () => {
    const found = await podsOf(namespace, 'job-name=once-holdfast-shop-now')
    return found[0]?.status.phase === 'Succeeded' && found
  })
  expect(pod).toMatchObject({ spec: { containers: [{ name: 'holdfast', args: ['holdfast', 'run', 'shop'] }] } })
  const logs = await logsOf(namespace, pod?.metadata.name ?? '', 'holdfast')
  expect(logs).toContain('orders.txt')
  expect(logs).not.toMatch(/PERMISSION_MISSING|KUBERNETES_FORBIDDEN/)
  const events = await kubectl(['-n', namespace, 'get', 'events'])
  expect(events).toMatch(new RegExp(`BackupSucceeded +pod/${pod?.metadata.name} `))
  await release.uninstall()
  expect(await leftovers(namespace, before)).toEqual([])
})

test('mode sidecar: the patch adds it to a Deployment, and its scripts work in the application', async () => {
  const release = releaseOf(namespace, 'beside')
  const labels = { app: 'database' }
  await apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'database', namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          hostNetwork: reachesApi.hostNetwork,
          containers: [{ name: 'database', image: images.busybox, env: [{ name: 'ROWS', value: 'order 1' }] }],
        },
      },
    },
  })
  const notes = await release.install({
    extraEnv: onHost.extraEnv,
    metrics: onHost.metrics,
    mode: 'sidecar',
    sidecar: { targetContainer: 'database' },
    config,
    scripts: script(`kubectlexec 'echo "$ROWS"' | save_artifact rows.txt`),
  })
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-e2e-chart-'))
  const commands = notes.replaceAll('holdfast-sidecar.yaml', join(directory, 'patch.yaml'))
  await follow(commands.replace('deployment/YOURS', 'deployment/database'), 'kubectl get', 'kubectl patch')
  await kubectl(['-n', namespace, 'rollout', 'status', 'deployment/database', '--timeout', '60s'])
  const pod = await waitFor('the patched pod', async () => {
    const [found, ...others] = await podsOf(namespace, 'app=database')
    return others.length === 0 && found
  })
  const name = pod.metadata.name
  await waitFor('the daemon', async () => {
    const { code } = await execIn(namespace, name, 'holdfast', ['holdfast', 'health', '--ready'])
    return code === 0
  })
  const ran = await execIn(namespace, name, 'holdfast', ['holdfast', 'run', 'shop'])
  expect(ran).toMatchObject({ code: 0 })
  expect(ran.stdout + ran.stderr).not.toMatch(/may not/)
  const restore = 'holdfast restore --bytes --plan shop --to /tmp/rows.txt && cat /tmp/rows.txt'
  expect((await execIn(namespace, name, 'holdfast', ['sh', '-c', restore])).stdout).toContain('order 1\n')
})
