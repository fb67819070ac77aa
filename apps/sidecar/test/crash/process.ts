// The process that the crash sweep kills. Arguments: state directory, world directory, script directory, and the number
// of the journal write or effect boundary at which to die (`never`: at each, the directory of all is copied to
// `copies/NAME/NUMBER` beside it), and perhaps the address of an API server. Prints their names.
import { basename, join } from 'node:path'
import { copyFiles } from './copy-files.ts'
import { engineFor } from './engine.ts'

const [, , state = '', world = '', scripts = '', dieAt = '', api] = process.argv
const place = join(state, '..')
const points: string[] = []
const point = (name: string): void => {
  points.push(name)
  if (dieAt === 'never') copyFiles(place, join(place, '..', 'copies', basename(place), String(points.length)))
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
