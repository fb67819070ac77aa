// Opens journals at the same moments as others, and fails when one is refused or moved aside.
import { workerData } from 'node:worker_threads'
import { openJournal } from '../../src/journal/open-journal.ts'

const { directories, gate, all } = workerData as { directories: string[]; gate: Int32Array; all: number }
for (const [round, directory] of directories.entries()) {
  Atomics.add(gate, 0, 1)
  while (Atomics.load(gate, 0) < all * (round + 1));
  openJournal({
    directory,
    now: () => new Date(),
    onCorrupt(error) {
      throw error
    },
  }).close()
}
