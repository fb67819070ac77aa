// Volumes and what is done with their versions in one plan, and one volume in two plans.
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTestRun, fakeExec } from '@holdfast/testing'
import { benjiBackup } from '../../src/benji-backup.ts'
import { benjiCleanup, benjiEnforce, benjiVersionsStatus } from '../../src/benji-maintenance.ts'
import { benjiConfig } from '../support/backup-run.ts'
import { createFakeBenji } from '../support/fake-benji.ts'
import { createFakeCeph } from '../support/fake-ceph.ts'

async function shared() {
  const ceph = createFakeCeph()
  ceph.create('rbd/data')
  const benji = createFakeBenji({ ceph })
  const engine = { configFile: benjiConfig(benji) }
  const test = await createTestRun({
    use: [
      benjiBackup({ images: ['rbd/data'], engine }),
      benjiEnforce({ rules: 'latest1', engine }),
      benjiCleanup({ engine }),
      benjiVersionsStatus({ engine }),
    ],
    exec: fakeExec({ benji: benji.command, rbd: ceph.command }),
  })
  onTestFinished(() => test.close())
  const run = async () => {
    await test.clock.advance('1s')
    return (await test.run()).outcome
  }
  return { ceph, benji, run }
}

describe('a plan that backs up, enforces, cleans up and counts', () => {
  it('does so in that order, each run', async () => {
    const { benji, run } = await shared()
    expect((await run()).status).toBe('succeeded')
    expect((await run()).status).toBe('succeeded')
    const words = benji.calls.map((call) => call.split(' ')[0])
    const last = (name: string): number => words.lastIndexOf(name)
    expect(last('backup')).toBeLessThan(last('enforce'))
    expect(last('enforce')).toBeLessThan(last('cleanup'))
    expect(benji.versions).toHaveLength(1)
  })

  it('removes nothing when no volume could be backed up', async () => {
    const { ceph, benji, run } = await shared()
    await run()
    ceph.badDays.next('snap ls', { exit: 5 })
    expect((await run()).status).toBe('failed')
    expect(benji.calls.filter((call) => call.startsWith('enforce')).length).toBeGreaterThan(0)
    const before = benji.calls.length
    ceph.badDays.next('snap ls', { exit: 5 })
    await run()
    expect(benji.calls.slice(before).filter((call) => /^(enforce|cleanup|rm)/.test(call))).toEqual([])
  })
})
