// The plugins' conformance suite passes a plugin as it should be, and each of its checks sees what is wrong with another.
import { definePlugin } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { pluginConformance } from '../src/conformance/plugin-conformance.ts'
import { schemaOf } from './support/strict-schema.ts'
import { fakeExec } from '../src/fake-exec.ts'
import type { PluginWorld } from '../src/conformance/plugin-case.ts'
import { volumeCases, volumePlugin, type Flaw, type VolumeOptions } from './support/volume-plugin.ts'

describe('a plugin as it should be', () => {
  // The cluster makes no difference to the others.
  const checks = pluginConformance(volumePlugin(), volumeCases()).filter(
    ({ name }) => !name.startsWith('in a cluster') || /told to stop|change nothing|Kubernetes API/.test(name),
  )
  test.each(checks)('$name', ({ run }) => run())
})

describe('a plugin with one thing wrong fails the check that is about it', () => {
  const wrong: Readonly<Record<Flaw, readonly [check: string, says: RegExp]>> = {
    'takes any option': ['a volume: a misspelt option', /"pathx" is accepted and does nothing/],
    'takes any option inside of another': [
      'a volume: a misspelt option',
      /"speed.limitx" is accepted and does nothing: make its schema strict, too/,
    ],
    'freezes while it looks for targets': [
      'a volume: validate, targets',
      /more than look: exec freeze in targets \(freeze \/data\)/,
    ],
    'freezes in validate': ['a volume: validate, targets', /more than look: exec freeze in validate \(freeze \/data\)/],
    'writes objects in describe': ['in a cluster: validate, targets', /create configmaps, as the API server saw it/],
    'waits without its signal': [
      'a volume: a hook that is told',
      /backups ignores that it is told to stop at its beginning/,
    ],
    'ignores its signal': ['a volume: a hook that is told', /backups ignores that it is told to stop at its beginning/],
    'swallows the end of a command': [
      'a volume: a hook that is told',
      /beforeBackups ignores that it is told to stop while exec freeze in beforeBackups hangs/,
    ],
    'waits for ever in onError': [
      'a volume: a hook that is told',
      /onError ignores that it is told to stop while exec notify in onError hangs/,
    ],
    'forgets to look before it thaws': ['a volume: every armed undo', /"thaw" fails when it runs again/],
    'breaks what it thaws twice': ['a volume: every armed undo', /"thaw" changes something when it runs again/],
    'never arms an undo': ['each of its undos is armed', /no case arms "thaw"/],
    'shows the password to everybody': [
      'a volume: no secret',
      /in the arguments of exec dump in backups: .*\[secret\]/,
    ],
    'stores the password': ['a volume: no secret', /in what is stored by artifact volume in backups/],
    'logs what it read in its own way': ['a volume: no secret', /in the log/],
    'leaves a lock behind': [
      'a volume: the run after',
      /the run after one in which artifact volume in backups failed is failed/,
    ],
    'believes that nothing was frozen when the answer is lost': [
      'a volume: the run after',
      /the run after one in which exec freeze in beforeBackups did its work but its answer was lost is failed/,
    ],
    'thaws only after all went well': [
      'a volume: what was taken',
      /before artifact volume in backups, what was .* while no undo is armed, and kill -9 would leave it so: arm an undo/,
    ],
    'thaws with what dies when the process does': [
      'a volume: what was taken',
      /while no undo is armed, and kill -9 would leave it so: arm an undo before the effect/,
    ],
    'does not wait until its undo is armed': [
      'a volume: what was taken',
      /exec freeze in beforeBackups begins before the undo "thaw" is armed: await undo\.arm/,
    ],
    'restores with the password for all to see': [
      'a volume: no secret',
      /in the arguments of exec load in restore: .*\[secret\]/,
    ],
    'mounts for a restore, and cannot unmount twice': [
      'a volume: every armed undo',
      /"unmount" fails when it runs again: .*after a restore that succeeds/,
    ],
    'runs a command in a pod': ['a volume: what is asked', /don't declare what is used: create pods\/exec/],
    'lists secrets': ['in a cluster: what is asked', /don't declare what is used: list secrets in kube-system/],
    'describes nothing': ['a volume: a run does', /exec freeze \(beforeBackups\).*It says: nothing/],
    'hides the command that dumps': [
      'a volume: a run does',
      /doesn't say: exec dump \(backups\)\. It says: exec freeze/,
    ],
  }
  test.each(Object.entries(wrong))('%s', async (flaw, [check, says]) => {
    const found = pluginConformance(volumePlugin(flaw as Flaw), volumeCases()).find(({ name }) =>
      name.startsWith(check),
    )
    if (!found) throw new Error(`there is no check ${check}`)
    const failure: unknown = await found.run().then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(String(failure)).toMatch(says)
    expect(String(failure)).not.toContain('hunter2')
  })
})

test('an undo that no case can arm is named with the reason', async () => {
  const checks = pluginConformance(volumePlugin('never arms an undo'), volumeCases().slice(0, 1), {
    neverArmed: { thaw: 'only restores arm it' },
  })
  await checks.at(-1)?.run()
})

test('an effect that outlives the run in which its end failed is seen, although no other call comes in between', async () => {
  let isPaused = false
  const careless = definePlugin({
    name: 'careless',
    version: '1.0.0',
    sdk: '^1.0',
    config: schemaOf<object>([]),
    describe: () => [{ kind: 'exec', what: 'pause, then resume' }],
    hooks: {
      backups: ({ exec }) => exec.local({ command: ['pause'] }).then(() => exec.local({ command: ['resume'] })),
    },
  })
  const setUp = (): PluginWorld<object> => {
    isPaused = false
    return {
      options: {},
      exec: fakeExec({
        pause: () => ((isPaused = true), {}),
        resume: () => ((isPaused = false), {}),
      }),
      state: () => isPaused,
    }
  }
  const check = pluginConformance(careless, [{ name: 'a server', setUp }]).find(({ name }) =>
    name.includes('what was taken'),
  )
  await expect(check?.run()).rejects.toThrow('before exec resume in backups, what was false is true')
})

test('options of a case that are refused are named, with what to do', async () => {
  const [check] = pluginConformance(volumePlugin(), [
    {
      name: 'a volume',
      setUp: () => ({ options: { path: '/data', password: { env: 'A' }, pathh: '' } as VolumeOptions }),
    },
  ])
  await expect(check?.run()).rejects.toThrow(
    /^the options of this case are refused: plugin "volume": pathh .*\. The plugin says what its options must be/,
  )
})

test('a case whose run does not succeed says why', async () => {
  const broken = definePlugin({
    name: 'broken',
    version: '1.0.0',
    sdk: '^1.0',
    config: schemaOf<object>([]),
    hooks: {
      backups() {
        throw new Error('there is no database')
      },
    },
  })
  const checks = pluginConformance(broken, [{ name: 'empty', setUp: () => ({ options: {} }) }])
  const [described] = checks.slice(-1)
  await expect(described?.run()).rejects.toThrow(
    /^a run in the world of this case is failed, not succeeded: HOOK_FAILED: backups of "broken" for "broken" failed: there is no database \(What it was to do is not done,(?!.*there is no database)/,
  )
  expect(checks.map(({ name }) => name)).not.toContain('each of its undos is armed by a case')
  expect(() => pluginConformance(broken, [])).toThrow('without a case')
})
