// fault F3 for drills: a drill is killed with SIGKILL at every write to the journal and at every effect boundary. After each
// restart nothing of it is left, and the next one succeeds.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databasesIn, drillEngineFor } from './crash/drill-engine.ts'
import { buildProgram } from './crash/program.ts'

const long = process.env['HOLDFAST_TEST_LONG'] === '1'
let root: string
let program: string
let env: NodeJS.ProcessEnv
beforeAll(async () => {
  // In memory where that is possible: a killed process loses no page, so waiting for a disk would prove nothing.
  root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-drills-'))
  ;({ program, env } = await buildProgram(root, 'drill-process.ts'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Ended {
  readonly points?: readonly string[]
  readonly status?: string
  readonly signal?: string
}

function start(place: string, what: 'backup' | 'drill', dieAt = 0): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, place, what, String(dieAt)], { env }, (error, stdout, stderr) => {
      if (error?.signal === 'SIGKILL') resolve({ signal: 'SIGKILL' })
      else if (error) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(JSON.parse(stdout) as Ended)
    })
  })
}

const scratches = (place: string): readonly string[] => {
  const directory = join(place, 'state', 'drills')
  return existsSync(directory) ? readdirSync(directory) : []
}

async function checkRestart(place: string, where: string): Promise<void> {
  const engine = await drillEngineFor(place, () => {})
  const { undos } = await engine.recover()
  expect(
    undos.map(({ result }) => result).filter((result) => result !== 'done'),
    where,
  ).toEqual([])
  expect(databasesIn(join(place, 'world')), `${where}: no database is left`).toEqual([])
  expect(scratches(place), `${where}: no directory is left`).toEqual([])
  expect(engine.journal.pendingUndos(), where).toEqual([])
  await engine.finishRecovery()
  expect(
    engine.journal.runs({ drill: 'weekly' }).filter(({ status }) => status !== 'aborted' && status !== 'succeeded'),
    `${where}: every drill has ended`,
  ).toEqual([])
  const { outcome } = await engine.drill('weekly')
  expect(outcome.error?.message, where).toBeUndefined()
  expect(outcome.status, `${where}: the next drill`).toBe('succeeded')
  expect(databasesIn(join(place, 'world')), where).toEqual([])
  engine.close()
}

test(
  'fault F3: a drill is killed at every point, and the next start leaves nothing of it',
  { timeout: 150_000 },
  async () => {
    const prepared = join(root, 'prepared')
    expect((await start(prepared, 'backup')).status).toBe('succeeded')
    const whole = join(root, 'whole')
    cpSync(prepared, whole, { recursive: true })
    const { points = [], status } = await start(whole, 'drill')
    expect(status).toBe('succeeded')
    // Just before a write the world is as it was after the last one: those only in `test:long`.
    const waiting = points
      .map((name, index) => ({ name, number: index + 1 }))
      .filter(({ name }) => long || !name.startsWith('before write'))
    expect(waiting.length).toBeGreaterThan(15)
    const killed = new Set(waiting.map(({ name }) => name))
    for (const name of [
      'after write: undo-arm',
      'after the database was made',
      'in the middle of what is expected',
      'after the database was dropped',
    ]) {
      expect(killed).toContain(name)
    }
    // Two at a time: there are two cores.
    const worker = async (): Promise<void> => {
      for (let point = waiting.shift(); point !== undefined; point = waiting.shift()) {
        const place = join(root, `at-${point.number}`)
        cpSync(prepared, place, { recursive: true })
        expect(await start(place, 'drill', point.number)).toEqual({ signal: 'SIGKILL' })
        await checkRestart(place, `killed at point ${point.number}, ${point.name}`)
        rmSync(place, { recursive: true, force: true })
      }
    }
    await Promise.all([worker(), worker()])
  },
)
