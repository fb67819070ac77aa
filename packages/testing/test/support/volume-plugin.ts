// A plugin that freezes a volume, dumps it with a password and thaws it: as it should be, and with one thing wrong.
import {
  definePlugin,
  defineUndo,
  type ExecRequest,
  type Json,
  type Permission,
  type PluginFactory,
  type SecretRef,
} from '@holdfast/sdk'
import { fakeExec, replies } from '../../src/fake-exec.ts'
import { startFakeKubernetes } from '../../src/fake-kubernetes/start-fake-kubernetes.ts'
import type { PluginCase } from '../../src/conformance/plugin-case.ts'
import { schemaOf } from './strict-schema.ts'

export interface VolumeOptions {
  readonly path: string
  readonly password: SecretRef
  readonly speed?: { readonly limit: number; readonly labels: Readonly<Record<string, string>> }
}

/** What is wrong with it. */
export type Flaw =
  | 'takes any option'
  | 'takes any option inside of another'
  | 'freezes in validate'
  | 'freezes while it looks for targets'
  | 'writes objects in describe'
  | 'waits without its signal'
  | 'ignores its signal'
  | 'swallows the end of a command'
  | 'waits for ever in onError'
  | 'forgets to look before it thaws'
  | 'breaks what it thaws twice'
  | 'never arms an undo'
  | 'shows the password to everybody'
  | 'stores the password'
  | 'logs what it read in its own way'
  | 'leaves a lock behind'
  | 'thaws only after all went well'
  | 'thaws with what dies when the process does'
  | 'does not wait until its undo is armed'
  | 'believes that nothing was frozen when the answer is lost'
  | 'lists secrets'
  | 'runs a command in a pod'
  | 'restores with the password for all to see'
  | 'mounts for a restore, and cannot unmount twice'
  | 'describes nothing'
  | 'hides the command that dumps'

const pod = { pod: 'shop-0', container: 'shop' }
const canary = 'hunter2-pa55word'
/** What the plugin gets at without its context. */
const elsewhere = 'hunter2-from-a-file'

export function volumePlugin(flaw?: Flaw): PluginFactory<VolumeOptions> {
  let lock = false
  const run = (command: readonly [string, ...string[]], more: Partial<ExecRequest> = {}): ExecRequest => ({
    command,
    ...more,
  })
  const thaw = defineUndo<ReturnType<typeof schemaOf<{ path: string }>>, VolumeOptions>({
    name: 'thaw',
    input: schemaOf<{ path: string }>(['path']),
    deadline: '1s',
    async run({ path }, { exec }) {
      if (flaw === 'breaks what it thaws twice') await exec.local(run(['reset', path]))
      if (flaw !== 'forgets to look before it thaws') {
        const { stdout } = await exec.local(run(['frozen', path]))
        if (stdout !== 'yes') return
      }
      await exec.local(run(['thaw', path]))
    },
  })
  const unmount = defineUndo<ReturnType<typeof schemaOf<{ where: string }>>, VolumeOptions>({
    name: 'unmount',
    input: schemaOf<{ where: string }>(['where']),
    deadline: '1s',
    async run({ where }, { exec }) {
      const lenient = flaw !== 'mounts for a restore, and cannot unmount twice'
      await exec.local(run(['unmount', where, ...(lenient ? ['--if-mounted'] : [])]))
    },
  })
  const permissions: readonly Permission[] = [
    {
      apiGroup: '',
      resource: 'configmaps',
      verbs: ['get', 'list'],
      scope: 'namespace',
      why: 'the settings are in one',
    },
  ]
  return definePlugin({
    name: 'volume',
    version: '1.0.0',
    sdk: '^1.0',
    config: schemaOf<VolumeOptions>(['path', 'password', 'speed'], flaw !== 'takes any option', {
      password: ['env', 'file'],
      ...(flaw !== 'takes any option inside of another' && { speed: ['limit', 'labels'] }),
    }),
    permissions: () => permissions,
    undos: [thaw, unmount],
    async targets({ config: { path }, exec }) {
      if (flaw === 'freezes while it looks for targets') await exec.local(run(['freeze', path]))
      return [{ id: 'volume', labels: {}, data: null }]
    },
    async describe({ config: { path }, kubernetes }) {
      if (flaw === 'writes objects in describe') {
        await kubernetes?.create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'seen' } })
      }
      return [
        { kind: 'exec', what: 'freeze', where: path },
        { kind: 'undo', what: 'thaw', where: path },
        ...(flaw === 'hides the command that dumps' ? [] : [{ kind: 'exec' as const, what: 'dump of the volume' }]),
        { kind: 'artifact', what: 'volume' },
      ]
    },
    ...(flaw === 'describes nothing' && { describe: () => [] }),
    hooks: {
      async validate({ exec, config: { path } }) {
        await exec.local(run(['freeze', '--version']))
        if (flaw === 'freezes in validate') await exec.local(run(['freeze', path]))
      },
      async beforeBackups({ undo, exec, signal, defer, config: { path } }) {
        signal.throwIfAborted()
        if (flaw === 'thaws with what dies when the process does') defer('thaw', () => exec.local(run(['thaw', path])))
        const isCareless =
          flaw === 'thaws only after all went well' || flaw === 'thaws with what dies when the process does'
        const arming = flaw === 'never arms an undo' || isCareless ? undefined : undo.arm(thaw, { path })
        const armed = flaw === 'does not wait until its undo is armed' ? undefined : await arming
        const frozen = exec.local(run(['freeze', path]))
        try {
          await (flaw === 'swallows the end of a command' ? frozen.catch(() => new Promise(() => {})) : frozen)
        } catch (error) {
          if (flaw === 'believes that nothing was frozen when the answer is lost') await armed?.disarm()
          throw error
        }
        if (flaw === 'never arms an undo') await exec.local(run(['thaw', path]))
      },
      async backups({ createArtifact, exec, secrets, config: { password }, kubernetes, log, clock }) {
        if (flaw === 'leaves a lock behind') {
          if (lock) throw new Error('somebody else is at it')
          lock = true
        }
        for await (const settings of kubernetes?.list('configmaps', { namespace: kubernetes.namespace }) ?? [])
          log.debug(settings.metadata.name)
        if (flaw === 'lists secrets') {
          for await (const { metadata } of kubernetes?.list('secrets', { namespace: 'kube-system' }) ?? [])
            log.debug(metadata.name)
        }
        if (flaw === 'runs a command in a pod') await exec.container(pod, run(['notify']))
        const opened = await secrets.open(password)
        if (flaw === 'waits without its signal') await clock.sleep('1h')
        if (flaw === 'logs what it read in its own way') log.info(`it is ${elsewhere}`)
        const meta: Record<string, Json> = flaw === 'stores the password' ? { login: opened.reveal() } : {}
        const words: readonly string[] = flaw === 'shows the password to everybody' ? ['-p', opened.reveal()] : []
        const dump = async (): Promise<unknown> =>
          createArtifact(
            'volume',
            (stdout) => exec.local(run(['dump', ...words], { env: { PASSWORD: opened }, stdout })),
            { meta },
          )
        if (flaw === 'ignores its signal') await dump().catch(() => new Promise(() => {}))
        else await dump()
        lock = false
      },
      async afterBackups({ clock, signal, exec, config: { path } }) {
        if (flaw === 'thaws only after all went well') await exec.local(run(['thaw', path]))
        await clock.sleep('5s', signal)
      },
      async onError({ exec, clock }) {
        const told = exec.local(run(['notify']))
        await (flaw === 'waits for ever in onError' ? told.catch(() => clock.sleep('10d')) : told)
      },
      onFinish: ({ log, outcome }) => log.info(outcome.status),
    },
    restore: {
      options: schemaOf<{ where: string }>(['where']),
      async run({ config: { password }, options: { where }, exec, secrets, undo }) {
        const opened = await secrets.open(password)
        await undo.arm(unmount, { where })
        await exec.local(run(['mount', where]))
        const words: readonly string[] =
          flaw === 'restores with the password for all to see' ? ['-p', opened.reveal()] : []
        await exec.local(run(['load', ...words], { env: { PASSWORD: opened } }))
        return { where }
      },
    },
  })
}

/** A volume that can be frozen, on this machine; and the same with a cluster. */
export function volumeCases(): readonly PluginCase<VolumeOptions>[] {
  const setUp: PluginCase<VolumeOptions>['setUp'] = () => {
    const frozen = new Set<string>()
    const mounted = new Set<string>()
    let resets = 0
    const exec = fakeExec({
      freeze: ({ command: [, path = ''] }) => {
        if (path === '--version') return { stdout: '1.0' }
        if (frozen.has(path)) return { exitCode: 1, stderr: 'frozen already' }
        frozen.add(path)
        return {}
      },
      frozen: ({ command: [, path = ''] }) => ({ stdout: frozen.has(path) ? 'yes' : 'no' }),
      thaw: ({ command: [, path = ''] }) => ({ exitCode: frozen.delete(path) ? 0 : 1 }),
      reset: () => {
        resets += 1
        return {}
      },
      dump: replies({ stdout: 'the volume' }),
      notify: replies(),
      mount({ command: [, where = ''] }) {
        mounted.add(where)
        return {}
      },
      unmount: ({ command: [, where = '', option] }) => ({ exitCode: mounted.delete(where) || option ? 0 : 1 }),
      load: replies(),
    })
    return {
      options: {
        path: '/data',
        password: { env: 'VOLUME_PASSWORD' },
        speed: { limit: 10, labels: { app: 'shop' } },
      },
      anyKeys: ['speed.labels'],
      restore: { where: '/scratch' },
      env: { VOLUME_PASSWORD: canary },
      exec,
      secrets: [elsewhere],
      state: () => ({ frozen: [...frozen], mounted: [...mounted], resets }),
      isRead: ([program, argument]) => program === 'frozen' || program === 'notify' || argument === '--version',
    }
  }
  return [
    { name: 'a volume', setUp },
    {
      name: 'in a cluster',
      async setUp() {
        const cluster = await startFakeKubernetes({ namespace: 'shop' })
        return { ...(await setUp()), cluster, close: () => cluster[Symbol.asyncDispose]() }
      },
    },
  ]
}
