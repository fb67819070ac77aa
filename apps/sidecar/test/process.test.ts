import { existsSync, openSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startProcess, type StartedProcess, type StartProcessOptions } from './support/process.ts'
import { shop, type Workspace } from './support/workspace.ts'

function holdfast(here: Workspace, args: readonly string[], more?: Pick<StartProcessOptions, 'to'>): StartedProcess {
  const env = { HOLDFAST_STATE_DIR: here.state, TARGET_CONTAINER: 'app', POD_NAME: 'pod' }
  return startProcess('holdfast', args, { cwd: here.path, env, ...more })
}

/** A plan that freezes, and whose backup ends only when it is told to. */
function freezing(backup: string): Workspace {
  const here = shop()
  here.script('before_backups/10-freeze', `touch ${here.at('frozen')}`)
  here.write('scripts/before_backups/10-freeze.undo', `#!/bin/sh\nrm -f ${here.at('frozen')}\n`, 0o755)
  here.script('backups/10', backup)
  here.script('on_error/10', `printf '%s' "$HOLDFAST_STATUS" > ${here.at('told')}`)
  return here
}

/** A zombie is none that runs: it waits for the init of the machine. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test('fault F1: SIGTERM in the middle of a script ends it with all that it started, thaws, and exits with 143', async () => {
  const here = freezing(`sleep 1000 & echo "child $!"; wait`)
  const { child, printed, ended, stderr } = holdfast(here, ['run', 'shop'])
  await printed('child ')
  child.kill('SIGTERM')
  expect(await ended).toEqual({ code: 143, signal: null })
  const pid = Number(/child (\d+)/.exec(stderr())?.[1])
  expect(isRunning(pid)).toBe(false)
  expect(existsSync(here.at('frozen'))).toBe(false)
  expect(readFileSync(here.at('told'), 'utf8')).toBe('aborted')
  const history = await here.run(['history', '--json'])
  expect(JSON.parse(history.stdout)).toMatchObject([{ plan: 'shop', status: 'aborted' }, { trigger: 'boot' }])
})

test('fault F2: a second SIGTERM hurries, but never skips an undo', async () => {
  const here = freezing(`trap '' TERM; echo deaf; while :; do sleep 0.1; done`)
  const { child, printed, ended } = holdfast(here, ['run', 'shop'])
  await printed('deaf')
  child.kill('SIGTERM')
  await printed('SIGTERM: stopping')
  const began = performance.now()
  child.kill('SIGTERM')
  expect((await ended).code).toBe(143)
  expect(performance.now() - began).toBeLessThan(8000)
  expect(existsSync(here.at('frozen'))).toBe(false)
})

test('fault F3: killed between freeze and thaw, the next start thaws before anything else', async () => {
  const here = freezing('echo backing up; sleep 1000')
  const { child, printed, ended } = holdfast(here, ['daemon'])
  await printed('scheduling')
  child.kill('SIGKILL')
  await ended
  const run = holdfast(here, ['run', 'shop'])
  await run.printed('backing up')
  run.child.kill('SIGKILL')
  await run.ended
  expect(existsSync(here.at('frozen'))).toBe(true)
  here.script('backups/10', `[ ! -e ${here.at('frozen-before')} ]`)
  here.script('install_dependencies/10', `[ ! -e ${here.at('frozen')} ] && touch ${here.at('thawed-first')}`)
  const next = await here.run(['run', 'shop'])
  expect(next.stderr).toContain('gave back what an interrupted run had taken')
  expect(existsSync(here.at('thawed-first'))).toBe(true)
  const history = JSON.parse((await here.run(['history', '--json'])).stdout) as { trigger: string; status: string }[]
  expect(history.filter(({ trigger }) => trigger === 'manual').map(({ status }) => status)).toEqual([
    'succeeded',
    'aborted',
  ])
})

test('fault F12: a run whose log and answer nobody can take is done all the same, and nothing stays frozen', async () => {
  const here = freezing('true')
  const full = openSync('/dev/full', 'w')
  const { ended } = holdfast(here, ['run', 'shop'], { to: [full, full] })
  expect(await ended).toEqual({ code: 0, signal: null })
  expect(existsSync(here.at('frozen'))).toBe(false)
  const history = await here.run(['history', '--json'])
  expect(JSON.parse(history.stdout)).toMatchObject([{ plan: 'shop', status: 'succeeded' }, { trigger: 'boot' }])
})

test('fault F12: an answer that did not arrive is no answer', async () => {
  const here = freezing('true')
  const { ended, stderr } = holdfast(here, ['schedule'], { to: [openSync('/dev/full', 'w'), 'pipe'] })
  expect((await ended).code).toBe(1)
  expect(stderr()).toContain('what this command answered did not all arrive')
})

test.for([
  ['an exception out of nowhere', `setTimeout(() => { throw new Error('let go of') }, 10)`],
  ['a promise that it forgot', `void Promise.reject(new Error('let go of'))`],
] as const)('%s in a hook ends the run in order: nothing stays frozen, and it has failed', async ([, fault]) => {
  const here = freezing('true')
  here.write(
    'holdfast.yaml',
    `plans: { shop: { use: [{ '@holdfast/plugin-scripts#scripts': { path: ${here.path}/scripts } }, ./hook.mjs] } }\n`,
  )
  here.write(
    'hook.mjs',
    `export default {
  $type: 'holdfast.hook/v1',
  hook: 'backups',
  async entry({ signal }) {
    ${fault}
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  },
}
`,
  )
  const { ended, stderr } = holdfast(here, ['run', 'shop'])
  expect((await ended).code, stderr()).toBe(1)
  expect(stderr()).toMatch(/(nobody looked|came out of nowhere): let go of\. Probably in a hook/)
  expect(existsSync(here.at('frozen'))).toBe(false)
  expect(readFileSync(here.at('told'), 'utf8')).toBe('aborted')
})
