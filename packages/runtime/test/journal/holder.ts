// Takes a lock, says so, and lives until it is killed.
import { systemClock } from '../../src/clock.ts'
import { openLocks } from '../../src/journal/locks.ts'

const [, , directory = '', name = ''] = process.argv
const lock = openLocks(directory, systemClock).tryAcquire(name, `holder ${process.pid}`)
process.stdout.write(lock ? 'held\n' : 'busy\n')
setInterval(() => {}, 1000)
