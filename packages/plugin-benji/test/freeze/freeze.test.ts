// Freezing, holding and thawing, with the agent's real scripts on a fake node.
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { advanceUntil, type ExecFault } from '@holdfast/testing'
import { expect, test } from 'vitest'
import type { Freezable } from '../../src/freeze/frozen.ts'
import { agentPod, failureOf, fakeNode, kill, setUp, staged, until, type Setup } from './support.ts'

const freezeThenThaw = async (freezable: Freezable): Promise<number> => {
  const frozen = await freezable.freeze()
  return (await frozen.thaw()).frozenMs
}

/** Of the test's clock, by two milliseconds of real time: from where nothing waits for real work with a short deadline. */
const slow = '10ms'

function records({ state }: Setup['node']): readonly string[] {
  return readdirSync(state).filter((name) => name.endsWith('.token'))
}

test('freezes, holds and thaws; nothing of it stays behind', async () => {
  const setup = await setUp()
  const { node, test: run, freezing } = setup
  const seen = await freezing(async (freezable) => {
    const frozen = await freezable.freeze()
    const during = { isFrozen: node.isFrozen(), metrics: await run.metrics.text() }
    const { frozenMs } = await frozen.thaw()
    return { during, isFrozen: node.isFrozen(), frozenMs, where: freezable.where }
  })
  expect(seen).toMatchObject({ during: { isFrozen: true }, isFrozen: false, frozenMs: expect.any(Number) })
  expect(seen.where).toBe(`shop/data (node node-1, ${join(node.kubeletRoot, staged)})`)
  expect(node.calls).toEqual(['freeze', 'unfreeze'])
  expect(run.journal).toEqual(['maintain freezing', 'armed benji-thaw', 'benji-thaw disarmed', 'run succeeded'])
  expect(records(node)).toEqual([])
  await until(() => node.processes('HOLDFAST_FREEZE').length + node.processes('HOLDFAST_THAW').length === 0)

  const labels = '{pvc_namespace="shop",pvc="data"}'
  expect(seen.during.metrics).toContain(`holdfast_filesystem_frozen${labels} 1`)
  expect(seen.during.metrics).toContain(`holdfast_filesystem_frozen_since_timestamp_seconds${labels} 1767225600`)
  const after = await run.metrics.text()
  expect(after).toContain(`holdfast_filesystem_frozen${labels} 0`)
  expect(after).toContain(`holdfast_filesystem_frozen_since_timestamp_seconds${labels} 0`)
  expect(after).toContain(`holdfast_filesystem_freeze_duration_seconds_count${labels} 1`)
})

test('freezes again and again', async () => {
  const { node, freezing } = await setUp()
  for (let at = 0; at < 3; at++) await freezing(freezeThenThaw)
  expect(node.calls).toEqual(['freeze', 'unfreeze', 'freeze', 'unfreeze', 'freeze', 'unfreeze'])
})

test('K1, B1, fault F33: a snapshot that fails leaves nothing frozen, whether or not anybody thaws', async () => {
  const { node, test: run, freezing } = await setUp()
  const failure = await failureOf(
    freezing(async (freezable) => {
      await freezable.freeze()
      throw Object.assign(new Error('no snapshot'), { code: 'RBD_FAILED' })
    }),
  )
  expect(failure.message).toContain('no snapshot')
  expect(node.isFrozen()).toBe(false)
  expect(run.journal).toContain('benji-thaw done')
})

test('fault F35: a freeze that fails is said, with nothing frozen and no timer left', async () => {
  const { node, freezing } = await setUp()
  node.misbehave('freeze-fails')
  const failure = await failureOf(freezing(freezeThenThaw))
  expect(failure).toMatchObject({ code: 'FREEZE_FAILED' })
  expect(failure.message).toContain('Input/output error')
  expect(failure.hint).toContain(`fsfreeze --unfreeze ${join(node.kubeletRoot, staged)}`)
  expect(node.calls).toEqual(['freeze', 'unfreeze'])
  await until(() => node.processes('HOLDFAST_THAW').length === 0)
})

test('B6, fault F35: a freeze that takes longer than its timer is thawed as soon as it is complete', async () => {
  const { node, freezing } = await setUp({ options: { limit: '200ms' } })
  node.misbehave('freeze-hangs')
  const failed = failureOf(freezing(freezeThenThaw))
  // Its timer has fired, and found that it can't thaw yet.
  await until(() => node.calls.includes('unfreeze'))
  expect(node.isFrozen()).toBe(false)
  node.misbehave('go')
  expect(await failed).toMatchObject({ code: 'FREEZE_FAILED', message: expect.stringContaining('longer than 0.200 s') })
  expect(node.isFrozen()).toBe(false)
})

test('B6, fault F35: a freeze whose connection is lost and that finishes later is thawed; its undo waits for it', async () => {
  const { node, server, test: run, freezing } = await setUp()
  node.misbehave('freeze-hangs')
  const failed = failureOf(freezing(freezeThenThaw))
  await until(() => node.calls.includes('freeze'))
  for (const connection of server.execs.slice(1)) connection.kill()
  await until(() => node.calls.includes('unfreeze'))
  expect(run.journal).not.toContain('benji-thaw done')
  node.misbehave('go')
  expect((await failed).code).toBe('FREEZE_FAILED')
  expect(run.journal).toContain('benji-thaw done')
  expect(node.isFrozen()).toBe(false)
})

test('fault F36: a thaw that fails five times and then works is one, and the snapshot counts', async () => {
  const { node, freezing } = await setUp()
  node.misbehave('thaw-fails', '5')
  expect(await freezing(freezeThenThaw)).toBeGreaterThan(400)
  expect(node.calls).toEqual(['freeze', ...Array.from({ length: 6 }, () => 'unfreeze')])
  expect(node.isFrozen()).toBe(false)
})

test('B5, K4, fault F36: a thaw that never works fails the backup, stays pending, and the metric stays at 1', async () => {
  const { node, test: run, freezing } = await setUp()
  node.misbehave('thaw-fails', '1000000')
  const failed = failureOf(freezing(freezeThenThaw))
  await until(() => node.calls.length > 3)
  // The session is given up, and the undo tries once.
  await advanceUntil(
    run.clock,
    until(() => run.log.join().includes('could not be thawed: fsfreeze')),
    '50ms',
  )
  const failure = await advanceUntil(run.clock, failed, '5s')
  expect(failure).toMatchObject({ code: 'THAW_FAILED' })
  expect(failure.hint).toContain(`By hand, as root on its node: fsfreeze --unfreeze ${node.kubeletRoot}`)
  expect(node.isFrozen()).toBe(true)
  expect(run.engine.journal.pendingUndos()).toHaveLength(1)
  expect(await run.metrics.text()).toContain('holdfast_filesystem_frozen{pvc_namespace="shop",pvc="data"} 1')
  // Whoever mends it has it thawed at once: the timer has not given up.
  rmSync(join(node.kubeletRoot, '../fs/thaw-fails'))
})

test('O1: when its timer fired before the snapshot was confirmed, the snapshot does not count', async () => {
  const { node, test: run, freezing } = await setUp({ options: { limit: '1s' } })
  const failure = await failureOf(
    freezing(async (freezable) => {
      const frozen = await freezable.freeze()
      await until(() => !node.isFrozen())
      await frozen.thaw()
    }),
  )
  expect(failure).toMatchObject({
    code: 'FREEZE_LOST',
    message: expect.stringContaining('its timer thawed it after 1.000 s'),
  })
  expect(run.journal).toContain('benji-thaw done')
})

test('a freeze that somebody else has ended does not count', async () => {
  const { node, freezing } = await setUp()
  const failure = await failureOf(
    freezing(async (freezable) => {
      const frozen = await freezable.freeze()
      node.thawByHand()
      await frozen.thaw()
    }),
  )
  expect(failure).toMatchObject({
    code: 'FREEZE_LOST',
    message: expect.stringContaining('something else has thawed it'),
  })
  await until(() => node.processes('HOLDFAST_THAW').length === 0)
})

test('a session that was told to end thaws, and what it has held does not count', async () => {
  const { node, freezing } = await setUp()
  const failure = await failureOf(
    freezing(async (freezable) => {
      const frozen = await freezable.freeze()
      for (const pid of node.processes('HOLDFAST_FREEZE')) kill(pid, 'SIGTERM')
      await until(() => !node.isFrozen())
      await frozen.thaw()
    }),
  )
  expect(failure).toMatchObject({ code: 'FREEZE_LOST', message: expect.stringContaining('was told to end') })
})

test('what somebody else has frozen is neither frozen nor thawed', async () => {
  const { node, test: run, freezing } = await setUp()
  node.freezeByHand()
  const failure = await failureOf(freezing(freezeThenThaw))
  expect(failure).toMatchObject({
    code: 'FREEZE_FAILED',
    message: expect.stringContaining('something else has frozen it'),
  })
  expect(run.journal).toContain('benji-thaw done')
  expect(node.isFrozen()).toBe(true)
})

test('O1, K4: a session that is killed on its node is followed by its timer; nobody else is needed', async () => {
  const { node, server, test: run, freezing } = await setUp({ options: { limit: '1s' } })
  const held = Promise.withResolvers<void>()
  const failed = failureOf(
    freezing(async (freezable) => {
      const frozen = await freezable.freeze()
      await server.down()
      for (const pid of node.processes('HOLDFAST_FREEZE')) kill(pid)
      const isHeld = node.isFrozen()
      await until(() => !node.isFrozen())
      await server.up()
      expect(isHeld).toBe(true)
      held.resolve()
      await frozen.thaw()
    }),
  )
  await Promise.race([held.promise, failed])
  expect(await advanceUntil(run.clock, failed, slow)).toMatchObject({ code: 'FREEZE_LOST' })
  expect(node.isFrozen()).toBe(false)
})

test.each<[string, ExecFault]>([
  ['a failure without an exit code', { kind: 'status', body: { status: 'Failure', details: { causes: [] } } }],
  ['a failure that says nothing', { kind: 'status', body: { status: 'Failure' } }],
  ['no word about its end', 'close'],
])('K15: a session that thawed and ended with %s is no success', async (_, fault) => {
  const { node, server, test: run, freezing } = await setUp()
  const failed = failureOf(
    freezing(async (freezable) => {
      server.misbehaveExec({ times: 1 }, fault)
      await (await freezable.freeze()).thaw()
    }),
  )
  expect(await advanceUntil(run.clock, failed, slow)).toMatchObject({ code: 'FREEZE_LOST' })
  expect(node.isFrozen()).toBe(false)
  expect(run.journal).toContain('benji-thaw done')
})

test('fault F22, F29: the API server goes while it is frozen: it thaws by itself, long before its timer', async () => {
  const { node, server, test: run, freezing } = await setUp()
  const held = Promise.withResolvers<void>()
  const failed = failureOf(
    freezing(async (freezable) => {
      const frozen = await freezable.freeze()
      await server.down()
      await until(() => !node.isFrozen())
      setTimeout(() => void server.up(), 200)
      held.resolve()
      await frozen.thaw()
    }),
  )
  await Promise.race([held.promise, failed])
  expect(await advanceUntil(run.clock, failed, slow)).toMatchObject({ code: 'FREEZE_LOST' })
  expect(run.journal).toContain('benji-thaw done')
})

test('fault F24: a connection that is half open neither holds it longer than its timer, nor hangs', async () => {
  const { node, server, test: run, freezing } = await setUp({ options: { limit: '1s' } })
  const held = Promise.withResolvers<void>()
  const failed = failureOf(
    freezing(async (freezable) => {
      // `frozen`, a blank, the token and a line end.
      server.misbehaveExec({ times: 1 }, { kind: 'half-open', afterBytes: 'frozen '.length + 37 })
      const frozen = await freezable.freeze()
      const isHeld = node.isFrozen()
      await until(() => !node.isFrozen())
      expect(isHeld).toBe(true)
      held.resolve()
      await frozen.thaw()
    }),
  )
  await Promise.race([held.promise, failed])
  expect(await advanceUntil(run.clock, failed, '20ms')).toMatchObject({ code: 'FREEZE_LOST' })
  expect(run.journal).toContain('benji-thaw done')
})

test('the same filesystem is not frozen twice at once, and the second try does not end the first', async () => {
  const { node, freezing } = await setUp()
  await freezing(async (freezable) => {
    const first = await freezable.freeze()
    const refused = await failureOf(freezable.freeze())
    expect(refused).toMatchObject({
      code: 'FREEZE_FAILED',
      message: expect.stringContaining('another freeze of it is under way'),
    })
    expect(node.isFrozen()).toBe(true)
    await first.thaw()
  })
  expect(node.calls).toEqual(['freeze', 'unfreeze'])
})

test('what a freeze has left that is gone with its timer is thawed by the next one', async () => {
  const { node, freezing } = await setUp()
  mkdirSync(node.state)
  writeFileSync(join(node.state, '252:0.token'), 'somebody\n/x\n/x\n')
  node.freezeByHand()
  await freezing(freezeThenThaw)
  expect(node.calls).toEqual(['unfreeze', 'freeze', 'unfreeze'])
})

test('K3, B7: a path that is no mount of the expected device any more is not frozen', async () => {
  const { node, freezing } = await setUp()
  const failure = await failureOf(
    freezing(async (freezable) => {
      writeFileSync(node.env['HOLDFAST_MOUNTINFO'] ?? '', '')
      node.mount({ path: staged, device: '8:1' })
      await freezable.freeze()
    }),
  )
  expect(failure).toMatchObject({
    code: 'FREEZE_FAILED',
    message: expect.stringContaining('is no mount of the device 252:0'),
  })
  expect(node.calls).toEqual([])
})

test('K3: a device that has become another image is not frozen', async () => {
  const { node, freezing } = await setUp()
  const failure = await failureOf(
    freezing(async (freezable) => {
      writeFileSync(join(node.sysRoot, 'bus/rbd/devices/0/name'), 'csi-vol-2\n')
      await freezable.freeze()
    }),
  )
  expect(failure.message).toContain("the device 252:0 is another image's")
  expect(node.calls).toEqual([])
})

test('O1: without a timer nothing is frozen', async () => {
  const tools = join(fakeNode().kubeletRoot, 'tools')
  mkdirSync(tools)
  for (const tool of ['env', 'flock', 'grep', 'mkdir', 'mv', 'rm', 'sleep', 'stat', 'tr', 'readlink']) {
    const path = ['/usr/bin', '/bin'].map((directory) => join(directory, tool)).find((each) => existsSync(each))
    symlinkSync(path ?? '', join(tools, tool))
  }
  const { node, server, freezing } = await setUp({ agents: [] })
  const path = `${(node.env['PATH'] ?? '').split(':')[0]}:${tools}`
  server.addPod(agentPod(node, { containers: [{ name: 'freeze-agent', env: { ...node.env, PATH: path } }] }))
  const failure = await failureOf(freezing(freezeThenThaw))
  expect(failure).toMatchObject({ code: 'FREEZE_FAILED', message: expect.stringContaining('cannot start the timer') })
  expect(node.calls).toEqual([])
})

test('an agent that cannot keep its state freezes nothing', async () => {
  const { node, freezing } = await setUp()
  writeFileSync(node.state, 'a file')
  const failure = await failureOf(freezing((freezable) => freezable.freeze()))
  expect(failure).toMatchObject({ code: 'FREEZE_FAILED', message: expect.stringContaining('cannot write to') })
  // Thawing needs no state.
  expect(new Set(node.calls)).toEqual(new Set(['unfreeze']))
})

test('a path with blanks and backslashes is frozen and thawed, too', async () => {
  const path = String.raw`plugins/a b\c/globalmount`
  const { node, freezing } = await setUp({
    prepare(each) {
      each.map({})
      each.mount({ path })
    },
  })
  await freezing(freezeThenThaw)
  expect(node.calls).toEqual(['freeze', 'unfreeze'])
})
