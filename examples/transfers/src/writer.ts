// The application: moves money for ever, and stands still when it is asked to.
import { setImmediate as breathe } from 'node:timers/promises'
import { openLedger, transfer } from './ledger.ts'
import { standStillWhileAsked } from './pause.ts'

const [, , ledgerPath = 'ledger.sqlite', pauseFile = 'pause'] = process.argv
const ledger = openLedger(ledgerPath)
process.stdout.write('writing\n')
for (;;) {
  // What was written must be in the file before anybody copies it.
  const before = performance.now()
  if (await standStillWhileAsked(pauseFile)) {
    process.stdout.write(`stood still for ${Math.round(performance.now() - before)} ms\n`)
  }
  for (let count = 0; count < 10; count++) transfer(ledger)
  await breathe()
}
