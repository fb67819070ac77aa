import type { Plugin } from '@holdfast/sdk'
import { createTestRun, fakeExec, type TestRun } from '@holdfast/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { benjiCleanup, benjiEnforce, benjiScrub, benjiVersionsStatus } from '../../src/benji-maintenance.ts'
import { labelNames, ownLabelNames } from '../../src/labels.ts'
import { createFakeBenji, type FakeBenji } from '../support/fake-benji.ts'
import { createFakeCeph } from '../support/fake-ceph.ts'

const ours = { [labelNames.instance]: 'benji-k8s' }
const day = (of: number): Date => new Date(Date.UTC(2026, 0, of))

interface Maintenance {
  readonly benji: FakeBenji
  readonly test: TestRun
  uids(): readonly string[]
  said(level: string): string
}

/** A plan of one plugin, on the tenth of January. */
async function maintenance(plugin: Plugin): Promise<Maintenance> {
  const benji = createFakeBenji({ ceph: createFakeCeph() })
  const test = await createTestRun({ use: [plugin], exec: fakeExec({ benji: benji.command }), now: day(10) })
  onTestFinished(() => test.close())
  return {
    benji,
    test,
    uids: () => benji.versions.map(({ uid }) => uid),
    said: (level) =>
      test.log
        .map((line) => JSON.parse(line) as { level: string; msg: string })
        .flatMap((line) => (line.level === level ? [line.msg] : []))
        .join('\n'),
  }
}

describe('benjiEnforce', () => {
  it('removes what the rules let go, of our own versions only', async () => {
    const { benji, test, uids } = await maintenance(benjiEnforce({ rules: 'latest2' }))
    for (const of of [1, 2, 3]) benji.add({ volume: 'v', uid: `v${of}`, date: day(of), labels: ours })
    for (const of of [1, 2, 3]) benji.add({ volume: 'v', uid: `w${of}`, date: day(of) })
    expect((await test.run()).outcome.status).toBe('succeeded')
    expect(uids()).toEqual(['v2', 'v3', 'w1', 'w2', 'w3'])
  })

  it('C3: keeps the newest valid version of a volume whose newer ones are all invalid', async () => {
    const { benji, test, uids, said } = await maintenance(benjiEnforce({ rules: 'latest2' }))
    benji.add({ volume: 'v', uid: 'good-old', date: day(1), labels: ours })
    benji.add({ volume: 'v', uid: 'good', date: day(2), labels: ours })
    benji.add({ volume: 'v', uid: 'bad', date: day(3), status: 'invalid', labels: ours })
    benji.add({ volume: 'v', uid: 'worse', date: day(4), status: 'invalid', labels: ours })
    expect((await test.run()).outcome.status).toBe('succeeded')
    expect(uids()).toEqual(['good', 'bad', 'worse'])
    expect(benji.version('good').protected).toBe(false)
    expect(said('warn')).toContain('the rules would remove the newest valid version of v, good; it is kept')
  })

  it('C3: a version that differs from its source is not what is kept for good', async () => {
    const { benji, test, uids } = await maintenance(benjiEnforce({ rules: 'latest1' }))
    benji.add({ volume: 'v', uid: 'good', date: day(1), labels: ours })
    benji.add({
      volume: 'v',
      uid: 'differs',
      date: day(2),
      labels: { ...ours, [ownLabelNames.sourceMismatch]: 'true' },
    })
    await test.run()
    expect(uids()).toEqual(['good', 'differs'])
  })

  it('keeps no more than the rules do where no valid version is in danger', async () => {
    const { benji, test, uids } = await maintenance(benjiEnforce({ rules: 'latest1' }))
    for (const of of [1, 2, 3]) benji.add({ volume: 'v', uid: `v${of}`, date: day(of), labels: ours })
    await test.run()
    expect(uids()).toEqual(['v3'])
    expect(benji.calls.filter((call) => call.startsWith('protect'))).toEqual([])
  })

  it('lets go of what it protects when it is killed in the middle', async () => {
    const { benji, test } = await maintenance(benjiEnforce({ rules: 'latest1' }))
    benji.add({ volume: 'v', uid: 'good', date: day(1), labels: ours })
    benji.add({ volume: 'v', uid: 'bad', date: day(2), status: 'invalid', labels: ours })
    benji.badDays.next('enforce', { exit: 70 }, { match: '--dry-run' })
    expect((await test.run()).outcome.status).toBe('failed')
    expect(benji.version('good').protected).toBe(false)
    expect(benji.versions).toHaveLength(2)
  })

  it('does exactly what it is told with protectNewestValid: false', async () => {
    const { benji, test, uids } = await maintenance(
      benjiEnforce({ rules: 'latest1', filter: '', protectNewestValid: false }),
    )
    benji.add({ volume: 'v', uid: 'good', date: day(1) })
    benji.add({ volume: 'v', uid: 'bad', date: day(2), status: 'invalid' })
    await test.run()
    expect(uids()).toEqual(['bad'])
  })
})

describe('benjiScrub', () => {
  it('succeeds when everything could be read back', async () => {
    const { benji, test, said } = await maintenance(benjiScrub({ deep: true }))
    benji.add({ volume: 'v', uid: 'good' })
    expect((await test.run()).outcome.status).toBe('succeeded')
    expect(said('info')).toContain('read back without an error: 1 version')
  })

  it('fails when a block is damaged, and names the version and its volume', async () => {
    const { benji, test } = await maintenance(benjiScrub({ deep: true }))
    benji.add({ volume: 'web/data', uid: 'bad' })
    benji.add({ volume: 'web/other', uid: 'good' })
    benji.damage('bad', 0)
    const { outcome } = await test.run()
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'BENJI_DAMAGED' } })
    expect(outcome.error?.message).toContain('damage in bad of web/data')
    expect(benji.version('bad').status).toBe('invalid')
  })
})

describe('benjiCleanup', () => {
  it('frees what was removed', async () => {
    const { benji, test } = await maintenance(benjiCleanup({}))
    expect((await test.run()).outcome.status).toBe('succeeded')
    expect(benji.calls).toEqual(['cleanup'])
  })

  it('fails while another cleanup runs, and can be tried again', async () => {
    const { benji, test } = await maintenance(benjiCleanup({}))
    benji.locks.add('cleanup')
    expect((await test.run()).outcome).toMatchObject({
      status: 'failed',
      error: { code: 'BENJI_LOCKED', retryable: true },
    })
  })
})

describe('benjiVersionsStatus', () => {
  it('K30: counts versions by state, a version that differs from its source as invalid', async () => {
    const { benji, test, said } = await maintenance(benjiVersionsStatus({}))
    benji.add({ volume: 'v', uid: 'good' })
    benji.add({ volume: 'v', uid: 'bad', status: 'invalid' })
    benji.add({ volume: 'v', uid: 'differs', labels: { [ownLabelNames.sourceMismatch]: 'true' } })
    benji.addKilled({ uid: 'old', volume: 'v', date: day(8) })
    benji.addKilled({ uid: 'young', volume: 'v', date: day(10) })
    expect((await test.run()).outcome.status).toBe('succeeded')
    const metrics = await test.metrics.text()
    expect(metrics).toContain('holdfast_versions{state="valid",instance="benji-k8s"} 1')
    expect(metrics).toContain('holdfast_versions{state="invalid",instance="benji-k8s"} 2')
    expect(metrics).toContain('holdfast_versions{state="incomplete",instance="benji-k8s"} 2')
    expect(said('error')).toContain('invalid: 2 versions: bad, differs')
    expect(said('warn')).toContain('incomplete for more than a day: 1 version: old')
  })
})
