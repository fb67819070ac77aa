import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, onTestFinished, test } from 'vitest'
import { formatImage } from '../src/rbd/image.ts'
import { clientCases, type World } from './support/clients-conformance.ts'
import { startClients } from './support/clients.ts'

/** Fakes. The same cases run on a real Ceph and a real Benji in e2e/benji-clients.e2e.ts. */
function fakeWorld(): World {
  const { ceph, fake, rbd, benji, clock } = startClients({ fake: { disallowRemoveWhenYounger: 6 } })
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-benji-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return {
    rbd,
    benji: {
      ...benji,
      // Versions are listed by time, and the clock stands still.
      async backup(request, onProgress) {
        await clock.advance('1s')
        return benji.backup(request, onProgress)
      },
    },
    directory,
    prefix: 'c-',
    async createImage(name, { namespace = '' } = {}) {
      const image = { pool: 'rbd', namespace, name }
      ceph.create(formatImage(image), { contents: { 0: '1', 1: '2' } })
      return image
    },
    write: async (image, object, byte) => ceph.write(formatImage(image), object, byte?.toString()),
    resize: async (image, objects) => void (ceph.image(formatImage(image)).size = objects * 4 * 2 ** 20),
    damage: async (uid) => fake.damage(uid, 0),
    async lock(uid) {
      fake.locks.add(`Version ${uid}`)
      return async () => void fake.locks.delete(`Version ${uid}`)
    },
    async killBackup(uid, image) {
      fake.badDays.next('backup', { at: 'created', exit: 137 })
      const request = { uid, volume: 'web/killed', snapshot: '', labels: { a: 'b' } }
      await benji.backup({ ...request, source: `rbd:${formatImage(image)}` }).catch(() => {})
    },
  }
}

describe('the clients on the fakes', () => {
  test.for(clientCases)('$name', async ({ run }) => run(fakeWorld()))
})
