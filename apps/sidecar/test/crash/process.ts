// The process that the crash sweep kills. Arguments: state directory, world directory, script directory, and the number
// of the journal write or effect boundary at which to die (0: never), and perhaps the address of an API server. Prints
// their names.
import { engineFor } from './engine.ts'

const [, , state = '', world = '', scripts = '', dieAt = '0', api] = process.argv
const points: string[] = []
const point = (name: string): void => {
  points.push(name)
  if (points.length === Number(dieAt)) process.kill(process.pid, 'SIGKILL')
}

const engine = await engineFor({ state, world, scripts, point, generation: 'one', api })
await engine.recover()
const { ok } = await engine.boot()
if (!ok) process.exit(2)
await engine.finishRecovery()
const { outcome } = await engine.run('shop')
engine.close()
process.stdout.write(JSON.stringify({ points, status: outcome.status, error: outcome.error?.message }))
