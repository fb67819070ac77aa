// The process that the crash sweep of drills kills. Arguments: a directory, `backup` or `drill`, and the number of the journal
// write or effect boundary at which to die (0: never). Prints their names.
import { drillEngineFor } from './drill-engine.ts'

const [, , place = '', what = '', dieAt = '0'] = process.argv
const points: string[] = []
const point = (name: string): void => {
  points.push(name)
  if (points.length === Number(dieAt)) process.kill(process.pid, 'SIGKILL')
}

const engine = await drillEngineFor(place, point)
await engine.recover()
const { outcome } = what === 'backup' ? await engine.run('shop') : await engine.drill('weekly')
engine.close()
process.stdout.write(JSON.stringify({ points, status: outcome.status, error: outcome.error?.message }))
