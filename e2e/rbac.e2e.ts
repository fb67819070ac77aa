// The Role that `holdfast generate rbac` prints is enough, and the least: without any one of its verbs, something fails
// or is done without, and says which verb of which rule it was. Commands run as processes of this machine which take
// themselves for a container of a real pod, as its account.
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { createProject, runCommand, startCommand, type RunningCommand } from './support/cli.ts'
import { grantsOf, kubeconfigOf, may, restore, revoke, type Grant, type Role } from './support/grants.ts'
import { apply, getObject, kubectl, listObjects, waitFor, type Ended } from './support/kubectl.ts'
import { readLog, type LogLine } from './support/logs.ts'
import { images, useNamespace } from './support/namespace.ts'
import { ended, logsOf, podOf, podsOf, ready, type Pod } from './support/pods.ts'
import { configMap } from './support/sidecar.ts'

const namespace = useNamespace('rbac')
const account = 'holdfast'

const project = createProject({
  'holdfast.config.ts': `
import { access, rm, writeFile } from 'node:fs/promises'
import { defineConfig, defineHook, defineUndo } from '@holdfast/sdk'
import { z } from 'zod'
import flush from './hooks/flush.ts'
import volumes from './hooks/volumes.ts'

const { HELD, GO } = process.env
const release = defineUndo({
  name: 'release',
  input: z.strictObject({ file: z.string() }),
  deadline: '2m',
  run: ({ file }) => rm(file, { force: true }),
})
const hold = defineHook('beforeBackups', async ({ undo }) => {
  await undo.arm(release, { file: HELD })
  await writeFile(HELD, '')
}, { name: 'hold', undos: [release] })
const backup = defineHook('backups', async ({ createArtifact, clock, signal }) => {
  while (GO && await access(GO).then(() => false, () => true)) await clock.sleep(100, signal)
  await createArtifact('data', (sink) => sink.write(Buffer.from('data')))
}, { name: 'backup' })

export default defineConfig({
  replicas: 'leader',
  plans: [
    { name: 'shop', use: [flush, volumes, backup], schedule: { cron: '0 3 * * *' } },
    { name: 'hold', use: [hold, backup], schedule: { cron: '0 3 * * *' } },
  ],
})
`,
  // It finds the pod by its label, and then uses its name.
  'hooks/flush.ts': `
import { defineHook } from '@holdfast/sdk'
const ours = { scope: 'namespace', why: 'the database is flushed before it is backed up' }
export default defineHook('beforeBackups', async ({ exec }) => {
  const container = 'main'
  const { stdout } = await exec.container({ selector: 'app=database', container }, { command: ['hostname'] })
  await exec.container({ pod: stdout.trim(), container }, { command: ['sync'] })
}, { name: 'flush', permissions: [
  { apiGroup: '', resource: 'pods', verbs: ['get', 'list'], ...ours },
  { apiGroup: '', resource: 'pods/exec', verbs: ['create', 'get'], ...ours },
] })
`,
  'hooks/volumes.ts': `
import { defineHook } from '@holdfast/sdk'
export default defineHook('beforeBackups', async ({ kubernetes, log }) => {
  const { namespace } = kubernetes
  for await (const claim of kubernetes.list('persistentvolumeclaims', { namespace })) log.info(claim.metadata.name)
}, { name: 'volumes', permissions: [
  { apiGroup: '', resource: 'persistentvolumeclaims', verbs: ['list'], scope: 'namespace', why: 'volumes are looked up' },
] })
`,
})
// No cluster is asked, so that tests can be made of what it prints.
const printed = await runCommand('holdfast', ['generate', 'rbac', '--namespace', namespace], { cwd: project.path })
const objects = parseAllDocuments(printed.stdout).map((document) => document.toJS() as Role)
const role = objects.find(({ kind }) => kind === 'Role')
if (!role) throw new Error(`holdfast generate rbac printed no Role: ${printed.stderr}${printed.stdout}`)
const grants = grantsOf(role)

/** Ours, and one of the same Deployment. */
const twoPods = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'own', namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'own' } },
    template: {
      metadata: { labels: { app: 'own' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: images.busybox, imagePullPolicy: 'Never' }],
      },
    },
  },
}
let pods: Readonly<Record<'own' | 'former', Pod>>
let runs = 0

/** What a command knows in a container of a pod that has just begun. */
function inside(pod: 'own' | 'former'): NodeJS.ProcessEnv {
  const { name, uid } = pods[pod].metadata
  const state = project.at(`state-${++runs}`)
  return {
    KUBECONFIG: project.at('kubeconfig'),
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: process.env['HOLDFAST_E2E_API_PORT'],
    POD_NAME: name,
    POD_NAMESPACE: namespace,
    POD_UID: uid,
    HOLDFAST_CONTAINER_NAME: 'main',
    HOLDFAST_LEASE: 'holdfast',
    HOLDFAST_LISTEN: '0',
    HOLDFAST_STATE_DIR: state,
    HELD: `${state}.held`,
  }
}

function holdfast(args: readonly string[], env: NodeJS.ProcessEnv = inside('own')): Promise<Ended> {
  return runCommand('holdfast', args, { cwd: project.path, env })
}

beforeAll(async () => {
  await apply(podOf(namespace, 'database', { image: images.busybox }), twoPods)
  await kubectl(['apply', '-f', '-'], { input: printed.stdout })
  project.write('kubeconfig', await kubeconfigOf(account, namespace), 0o600)
  const [own, former] = await waitFor('two pods', async () => {
    const [first, second] = await podsOf(namespace, 'app=own')
    return first && second ? [first, second] : undefined
  })
  pods = { own, former }
  await Promise.all([own, former].map(({ metadata }) => ready(namespace, metadata.name)))
  await ready(namespace, 'database')
})
afterAll(() => project.remove())

/** What is kept in the API while a run holds something, and what became of the run. */
async function holdOn(): Promise<{ readonly mirrored: number; readonly run: Ended }> {
  const env = inside('own')
  const go = `${env['HELD']}.go`
  const running = holdfast(['run', 'hold'], { ...env, GO: go })
  let isOver = false
  void running.then(() => (isOver = true))
  await waitFor('something to be held', async () => existsSync(env['HELD'] ?? '') || isOver)
  const mirrored = (await listObjects('configmaps', namespace, ['-l', 'holdfast.dev/undo=true'])).length
  project.write(go.slice(project.path.length + 1), '')
  const run = await running
  expect(existsSync(env['HELD'] ?? '')).toBe(false)
  return { mirrored, run }
}

async function eventsOf(plan: string): Promise<number> {
  return (await listObjects('events', namespace, ['-l', `holdfast.dev/plan=${plan}`])).length
}

/** The rule that would allow it, as messages name it. */
function ruleOf({ apiGroup, resource, name, verb }: Grant, ...more: readonly string[]): string {
  const names = name === undefined ? '' : `, resourceNames: ["${name}"]`
  const verbs = [verb, ...more].toSorted().map((each) => `"${each}"`)
  return `{ apiGroups: ["${apiGroup}"], resources: ["${resource}"]${names}, verbs: [${verbs.join(', ')}] }`
}

function lineWith(log: string, text: string): LogLine {
  const found = readLog(log).find(({ msg }) => msg.includes(text))
  if (!found) throw new Error(`nobody said "${text}":\n${log}`)
  return found
}

/** The engine does without: it says so, with the rule, and no command fails. */
async function expectWarning(grant: Grant): Promise<void> {
  const { verb, resource, name } = grant
  const { code, stderr } = await holdfast(['validate'])
  expect(code).toBe(0)
  const of = name === undefined ? resource : `${resource} "${name}"`
  const said = lineWith(stderr, `Holdfast itself may not ${verb} ${of} in namespace "${namespace}"`)
  expect(said.error?.hint).toContain(ruleOf(grant))
}

/** A plan needs it: it is refused in advance. */
async function expectRefusal(grant: Grant, hook: string): Promise<void> {
  const { code, stderr } = await holdfast(['validate'])
  expect(code).toBe(78)
  expect(stderr).toContain(
    `error: plan "shop": hook "${hook}" may not ${grant.verb} ${grant.resource} in namespace "${namespace}"\n`,
  )
  expect(stderr).toContain(`Grant this rule: ${ruleOf(grant)}.`)
}

/** The run fails with the API server's own refusal. */
async function expectFailure(code: string, verb: string, what: string, rule: string): Promise<void> {
  const run = await holdfast(['run', 'shop'])
  expect(run.code).toBe(1)
  const failed = lineWith(run.stderr, 'plan "shop" failed')
  expect(failed.error?.code).toBe(code)
  expect(failed.error?.message).toContain(
    `the API server does not allow to ${verb} ${what} in namespace "${namespace}"`,
  )
  expect(failed.error?.hint).toContain(rule)
  expect(run.stderr).not.toContain('"stored ')
}

async function withoutMirror(grant: Grant): Promise<void> {
  await expectWarning(grant)
  const { mirrored, run } = await holdOn()
  expect({ mirrored, code: run.code }).toEqual({ mirrored: 0, code: 0 })
  const said = lineWith(run.stderr, 'armed undos are kept in the state directory only')
  expect(said.msg).toContain(`may not ${grant.verb} configmaps`)
  expect(said.hint).toContain(ruleOf(grant))
}

/** The daemon of the leases' tests, which goes on while its rights change. */
async function withoutLease(grant: Grant): Promise<void> {
  // `holdfast generate kubernetes` names the Lease, and the Role lets it be made: it is not asked for, but needed.
  if (grant.verb === 'create') expect((await holdfast(['validate'])).code).toBe(0)
  else await expectWarning(grant)
  // Where there is a Lease, none has to be made.
  const metadata = { name: 'holdfast', namespace }
  if (grant.verb !== 'create') await apply({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata })
  const env = inside('own')
  const daemon = startCommand('holdfast', ['daemon'], { cwd: project.path, env })
  try {
    const what = grant.verb === 'create' ? 'leases' : 'leases "holdfast"'
    const refused = `the API server does not allow to ${grant.verb} ${what} in namespace "${namespace}"`
    const health = await waitFor('the daemon to say why it is not ready', async () => {
      const asked = await holdfast(['health', '--ready'], env)
      return asked.stderr.includes(refused) ? asked : undefined
    })
    expect(health.code).toBe(1)
    expect(health.stderr).toContain('the lease "holdfast"')
    expect((await holdfast(['health', '--live'], env)).code).toBe(0)
    expect(lineWith(daemon.output(), 'not ready: the lease').hint).toContain(`verbs: ["${grant.verb}"]`)
    expect(await holder()).toBe('')
    expect(daemon.output()).not.toContain('"msg":"scheduling"')
    await waitFor('the status', async () => existsSync(`${env['HOLDFAST_STATE_DIR']}/status.json`))
    expect(nextRuns(env)).toEqual([])
    await mended(daemon, env)
  } finally {
    daemon.kill('SIGTERM')
  }
  expect(await daemon.ended).toBe(0)
  await kubectl(['-n', namespace, 'delete', 'lease', 'holdfast'])
}

async function holder(): Promise<string> {
  const lease = await getObject<{ spec?: { holderIdentity?: string } }>('lease', 'holdfast', namespace)
  return lease?.spec?.holderIdentity ?? ''
}

/** Nothing needs a restart. */
async function mended(daemon: RunningCommand, env: NodeJS.ProcessEnv): Promise<void> {
  await restore(role as Role, account)
  await waitFor('the daemon to be ready', async () => (await holdfast(['health', '--ready'], env)).code === 0)
  await waitFor('the daemon to hold the lease', async () => (await holder()).includes(pods.own.metadata.name))
  // Whoever makes a Lease waits for as long as one lasts: somebody may have led by one that was removed.
  await waitFor('the daemon to schedule', async () => daemon.output().includes('"msg":"scheduling"'))
  await waitFor('both plans to be due', async () => nextRuns(env).length === 2, 10)
}

/** When plans are due, of those that are. */
function nextRuns({ HOLDFAST_STATE_DIR: state }: NodeJS.ProcessEnv): readonly string[] {
  const status = JSON.parse(readFileSync(`${state}/status.json`, 'utf8')) as { plans: readonly { next?: string }[] }
  return status.plans.flatMap(({ next }) => next ?? [])
}

/** What is expected without each of the verbs. */
const expected: Readonly<Record<string, (grant: Grant) => Promise<void>>> = {
  'create configmaps': withoutMirror,
  'get configmaps': withoutMirror,
  'list configmaps': withoutMirror,
  'delete configmaps': withoutMirror,
  async 'create events'(grant) {
    await expectWarning(grant)
    const before = await eventsOf('hold')
    const run = await holdfast(['run', 'hold'])
    expect(run.code).toBe(0)
    const said = lineWith(run.stderr, 'an Event could not be posted: the API server does not allow to create events')
    expect(said.error?.hint).toContain(ruleOf(grant))
    expect(await eventsOf('hold')).toBe(before)
  },
  'create leases': withoutLease,
  'get leases': withoutLease,
  'update leases': withoutLease,
  async 'list persistentvolumeclaims'(grant) {
    await expectRefusal(grant, 'volumes')
    await expectFailure('KUBERNETES_FORBIDDEN', 'list', 'persistentvolumeclaims', ruleOf(grant))
  },
  async 'get pods'(grant) {
    // The hook and the engine both ask for it.
    await expectRefusal(grant, 'flush')
    const { stderr } = await holdfast(['validate'])
    expect(lineWith(stderr, 'Holdfast itself may not get pods').error?.hint).toContain(ruleOf(grant))
    await expectFailure('EXEC_FORBIDDEN', 'get', 'pods "database"', ruleOf(grant))
    await undosOfOthersAreLeftAlone()
  },
  async 'list pods'(grant) {
    await expectRefusal(grant, 'flush')
    await expectFailure('EXEC_FORBIDDEN', 'list', 'pods', ruleOf(grant))
  },
  async 'get pods/exec'(grant) {
    await expectRefusal(grant, 'flush')
    await expectFailure('EXEC_FORBIDDEN', 'get', 'pods/exec "database"', ruleOf(grant, 'create'))
  },
  async 'create pods/exec'(grant) {
    await expectRefusal(grant, 'flush')
    // Kubernetes asks for it from 1.35 on; this one is older.
    expect((await holdfast(['run', 'shop'])).code).toBe(0)
  },
}

/** Whether the pod that armed them lives can't be asked; with the right, they are taken over. */
async function undosOfOthersAreLeftAlone(): Promise<void> {
  await restore(role as Role, account)
  const of = inside('former')
  const held = of['HELD'] ?? ''
  const killed = startCommand('holdfast', ['run', 'hold'], { cwd: project.path, env: { ...of, GO: `${held}.go` } })
  await waitFor('something to be held', async () => existsSync(held))
  killed.kill('SIGKILL')
  await killed.ended
  const { name } = pods.former.metadata
  await kubectl(['-n', namespace, 'delete', 'pod', name, '--grace-period=0', '--force'])
  await waitFor('the pod to be gone', async () => (await getObject('pod', name, namespace)) === undefined)

  await revoke(role as Role, { verb: 'get', apiGroup: '', resource: 'pods', name: undefined }, account)
  const without = await holdfast(['run', 'hold'])
  expect(without.code).toBe(0)
  expect(lineWith(without.stderr, `whether pod ${name} lives`).msg).toContain(`does not allow to get pods "${name}"`)
  expect(existsSync(held)).toBe(true)

  await restore(role as Role, account)
  const recovered = await holdfast(['run', 'hold'])
  expect(recovered.stderr).toContain('gave back what an interrupted run had taken')
  expect(existsSync(held)).toBe(false)
}

describe('without one verb of one rule', () => {
  test('every verb of the Role has an expectation, and nothing else has', () => {
    expect(grants.map(({ verb, resource }) => `${verb} ${resource}`).toSorted()).toEqual(
      Object.keys(expected).toSorted(),
    )
  })

  test.each(grants)('$verb $resource', async (grant) => {
    await revoke(role, grant, account)
    const check = expected[`${grant.verb} ${grant.resource}`]
    expect(check).toBeDefined()
    await check?.(grant)
  })
})

describe('with all of them', () => {
  beforeAll(() => restore(role, account))

  test('nothing is missing, and everything succeeds', async () => {
    const validated = await holdfast(['validate'])
    expect(validated).toMatchObject({ code: 0, stderr: '' })
    const before = await eventsOf('shop')
    const run = await holdfast(['run', 'shop'])
    expect(run.code).toBe(0)
    expect(readLog(run.stderr).filter(({ level }) => level !== 'info')).toEqual([])
    expect(await eventsOf('shop')).toBeGreaterThan(before)
    const { mirrored, run: held } = await holdOn()
    expect({ mirrored, code: held.code }).toEqual({ mirrored: 1, code: 0 })
    expect(await listObjects('configmaps', namespace, ['-l', 'holdfast.dev/undo=true'])).toEqual([])
  })

  test('it is no more than that', async () => {
    for (const [verb, resource] of [
      ['list', 'secrets'],
      ['delete', 'pods'],
      ['update', 'configmaps'],
      ['update', 'leases'],
      ['list', 'events'],
    ] as const) {
      expect(`${verb} ${resource}: ${await may({ verb, resource }, account, namespace)}`).toBe(
        `${verb} ${resource}: no`,
      )
    }
    expect(await may({ verb: 'update', resource: 'leases', name: 'holdfast' }, account, namespace)).toBe('yes')
  })
})

describe('without a service account', () => {
  const scripts = createProject({ 'scripts/backups/1_dump.sh': '#!/bin/sh\necho dumped\n' })
  afterAll(() => scripts.remove())
  const script = { CRON_BACKUP_SCHEDULE: '0 3 * * *', HOLDFAST_SCRIPTS: scripts.at('scripts') }

  test.each([
    ['outside of any cluster', {}],
    // As in a pod with automountServiceAccountToken: false.
    [
      'in a pod that has no token',
      { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1', POD_NAME: 'own' },
    ],
  ])('%s, everything works that needs no API', async (_, env) => {
    const state = scripts.at(`state-${++runs}`)
    const here = { ...env, HOLDFAST_STATE_DIR: state, HELD: `${state}.held` }
    const ofScripts = { cwd: scripts.path, env: { ...here, ...script } }
    expect(await runCommand('holdfast', ['validate'], ofScripts)).toMatchObject({ code: 0 })
    const run = await runCommand('holdfast', ['run', 'scripts'], ofScripts)
    expect(run.code).toBe(0)
    expect(run.stderr).toContain('dumped')
    // Undos and artifacts, too; what does need one says so.
    expect(await holdfast(['validate'], here)).toMatchObject({ code: 0 })
    expect(await holdfast(['run', 'hold'], here)).toMatchObject({ code: 0 })
    const failed = await holdfast(['run', 'shop'], here)
    expect(failed.code).toBe(1)
    expect(lineWith(failed.stderr, 'plan "shop" failed').error?.code).toBe('EXEC_NO_CLUSTER')
  })

  test('a pod of a real cluster backs up', async () => {
    await apply(
      configMap(namespace, 'scripts', { '1_dump.sh': '#!/bin/sh\necho dumped\n' }),
      podOf(
        namespace,
        'unconnected',
        {
          image: images.holdfast,
          args: ['holdfast', 'run', 'scripts'],
          env: [{ name: 'CRON_BACKUP_SCHEDULE', value: script.CRON_BACKUP_SCHEDULE }],
          volumeMounts: [{ name: 'scripts', mountPath: '/scripts/backups' }],
        },
        {
          automountServiceAccountToken: false,
          volumes: [{ name: 'scripts', configMap: { name: 'scripts', defaultMode: 0o755 } }],
        },
      ),
    )
    const pod = await ended(namespace, 'unconnected')
    const log = await logsOf(namespace, 'unconnected', 'main')
    expect(pod.status.phase).toBe('Succeeded')
    expect(log).toContain('dumped')
    expect(log).not.toMatch(/KUBERNETES_|API server/)
  })
})
