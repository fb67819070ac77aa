// The process that the crash sweep kills. Arguments: state directory, world directory, script directory, and the number
// of the journal write or effect boundary at which to die (0: never), and perhaps the address of an API server, and a directory
// into which at each of them goes a copy of what is on the disk. Prints their names.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { engineFor } from './engine.ts'

const [, , state = '', world = '', scripts = '', dieAt = '0', api = '', copies = ''] = process.argv
const points: string[] = []
const point = (name: string): void => {
  points.push(name)
  if (copies !== '') {
    const options = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true }
    cpSync(join(state, '..'), join(copies, String(points.length)), options)
  }
  if (points.length === Number(dieAt)) process.kill(process.pid, 'SIGKILL')
}

const engine = await engineFor({ state, world, scripts, point, generation: 'one', api: api === '' ? undefined : api })
await engine.recover()
const { ok } = await engine.boot()
if (!ok) process.exit(2)
await engine.finishRecovery()
const { outcome } = await engine.run('shop')
engine.close()
process.stdout.write(JSON.stringify({ points, status: outcome.status, error: outcome.error?.message }))
