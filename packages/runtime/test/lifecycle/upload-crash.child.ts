// A process that uploads one backup for each of the states that it is given, and stands still in the middle of each:
// `upload-crash.child.ts DIRECTORY PARTS` makes `DIRECTORY/0` to `DIRECTORY/PARTS`, and says `at all` when number N has
// written N parts of PARTS. It is killed then: one process, and a killed run at every part.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { uploadRun } from './upload-run.ts'

const [root = '', count = '0'] = process.argv.slice(2)
const parts = Number(count)
const forever = new Promise<never>(() => setInterval(() => {}, 1000))
let reached = 0

for (let part = 0; part <= parts; part++) {
  const place = join(root, String(part))
  mkdirSync(place)
  const first = await uploadRun(place)
  const { outcome } = await first.run()
  if (outcome.status !== 'succeeded') throw new Error(outcome.error?.message)
  await first.close()
  const killed = await uploadRun(place, {
    now: '2026-01-02T00:00:00Z',
    parts,
    async at(written) {
      if (written !== part) return
      if (++reached > parts) process.stdout.write('at all\n')
      await forever
    },
  })
  void killed.run()
}
await forever
