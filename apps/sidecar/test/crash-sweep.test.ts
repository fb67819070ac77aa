// fault F3, fault F15: a run is killed with SIGKILL at every write to the journal and at every effect boundary. After
// each restart nothing stands still, nothing uncommitted is listed, and the next run succeeds.
//
// What SIGKILL leaves is what the files are like at that moment. So in `npm test` one process takes a copy of them at every
// point, and the next start gets those; processes are killed at every effect boundary, where others of theirs run, and at
// every fifth write. In `test:long` one is killed at each.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { engineFor } from './crash/engine.ts'
import { copyFiles } from './crash/copy-files.ts'
import { buildProgram } from './crash/program.ts'
import { heldIn } from './crash/world.ts'

const long = process.env['HOLDFAST_TEST_LONG'] === '1'
let root: string
let scriptsOne: string
let program: string
let env: NodeJS.ProcessEnv
beforeAll(async () => {
  // In memory where that is possible: a killed process loses no page, so waiting for a disk would prove nothing.
  root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-sweep-'))
  ;({ program, env } = await buildProgram(root))
  scriptsOne = join(root, 'scripts-one')
  writeScripts(scriptsOne)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const script = (path: string, text: string): void => {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, `#!/bin/sh\nset -e\n${text}\n`, { mode: 0o755 })
}

/** A script that pauses something, with its undo beside it, and one that checks the variables of its run. */
function writeScripts(directory: string): void {
  script(
    join(directory, 'before_backups', '10-lock'),
    'touch "$HOLDFAST_TEST_WORLD/held-by-script"; printf x > "$HOLDFAST_VARS/locked"',
  )
  script(
    join(directory, 'before_backups', '10-lock.undo'),
    // The interrupted run's variables are there as long as its undo is pending.
    'test "$HOLDFAST_RUN_ID"; test -d "$HOLDFAST_VARS"; rm -f "$HOLDFAST_TEST_WORLD/held-by-script"',
  )
  script(join(directory, 'backups', '10-nothing'), 'true')
}

interface Killed {
  readonly points?: readonly string[]
  readonly status?: string
  readonly signal?: string | null
}

function runAndDie(place: string, dieAt: number | 'never'): Promise<Killed> {
  const args = [program, join(place, 'state'), join(place, 'world'), scriptsOne, String(dieAt)]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      if (error?.signal === 'SIGKILL') resolve({ signal: 'SIGKILL' })
      else if (error) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(JSON.parse(stdout) as Killed)
    })
  })
}

function newPlace(name: string): string {
  const place = join(root, name)
  for (const part of ['state', 'world', 'store']) mkdirSync(join(place, part), { recursive: true })
  return place
}

/** What must hold after a restart, wherever the process died. */
async function recoverAndCheck(place: string, scripts: string, generation: string, where: string): Promise<void> {
  const [state, world] = [join(place, 'state'), join(place, 'world')]
  const engine = await engineFor({ state, world, scripts, point: () => {}, generation })
  const { undos } = await engine.recover()
  expect(
    undos.map(({ result }) => result).filter((result) => result !== 'done'),
    where,
  ).toEqual([])
  expect(heldIn(world), `${where}: nothing stands still`).toEqual([])
  expect(engine.journal.pendingUndos(), where).toEqual([])
  expect((await engine.boot()).ok, where).toBe(true)
  await engine.finishRecovery()
  expect(
    engine.journal.runs().every(({ status }) => status !== undefined),
    `${where}: every run has ended`,
  ).toBe(true)
  for await (const artifact of engine.store().list({})) {
    const chunks: Uint8Array[] = []
    for await (const chunk of engine.store().open(artifact.id, { signal: AbortSignal.timeout(5000) }))
      chunks.push(chunk)
    expect(Buffer.concat(chunks).toString(), `${where}: ${artifact.id} is whole`).toMatch(/end$/)
  }
  const { outcome } = await engine.run('shop')
  expect(outcome.error?.message, where).toBeUndefined()
  expect(outcome.status, `${where}: the next run`).toBe('succeeded')
  expect(heldIn(world), where).toEqual([])
  engine.close()
}

interface PointOfRun {
  readonly name: string
  readonly number: number
}

/** The points of a run that nobody kills, which leaves a copy of its files at each. */
let points: Promise<readonly PointOfRun[]> | undefined

async function pointsOfRun(): Promise<readonly PointOfRun[]> {
  const whole = await runAndDie(newPlace('whole'), 'never')
  expect(whole.status).toBe('succeeded')
  return (whole.points ?? []).map((name, index) => ({ name, number: index + 1 }))
}

const isKilledAt = ({ name, number }: PointOfRun): boolean => long || !name.includes('write') || number % 5 === 0

/** The files as they are at a point: in the place where they were written, because its paths are in them. */
async function placeAt(point: PointOfRun): Promise<string> {
  const { number } = point
  const name = isKilledAt(point) ? `at-${number}` : 'whole'
  const place = join(root, name)
  const copy = join(root, 'copies', name, String(number))
  rmSync(place, { recursive: true, force: true })
  if (existsSync(copy)) {
    copyFiles(copy, place)
  } else {
    expect(await runAndDie(newPlace(name), number)).toEqual({ signal: 'SIGKILL' })
    copyFiles(place, copy)
  }
  return place
}

/**
 * Starts again with the files of each of the points.
 *
 * @returns the points
 */
async function sweep(
  matters: (point: string) => boolean,
  check: (place: string, where: string) => Promise<void>,
): Promise<readonly string[]> {
  const all = (await (points ??= pointsOfRun())).filter(({ name }) => matters(name))
  const checkAll = async (some: readonly PointOfRun[]): Promise<void> => {
    for (const point of some) {
      const place = await placeAt(point)
      await check(place, `killed at point ${point.number}, ${point.name}`)
      rmSync(place, { recursive: true, force: true })
    }
  }
  // Side by side: those that were killed have places of their own.
  await Promise.all([
    checkAll(all.filter((point) => isKilledAt(point))),
    checkAll(all.filter((point) => !isKilledAt(point))),
  ])
  return all.map(({ name }) => name)
}

/** Just before a write the world is as it was after the last one, or at the last effect: those only in `test:long`. */
const isOwnState = (point: string): boolean => long || !point.startsWith('before write')

test('fault F3, fault F15: killed at every point, restarted with the same code', { timeout: 150_000 }, async () => {
  const killed = await sweep(isOwnState, (place, where) => recoverAndCheck(place, scriptsOne, 'one', where))
  expect(killed.filter((name) => name.startsWith('after write')).length).toBeGreaterThan(40)
  expect(killed.filter((name) => !name.includes('write')).length).toBeGreaterThan(10)
})

test(
  'fault F3: killed after every write and at every effect, restarted with other code and other scripts',
  { timeout: 150_000 },
  async () => {
    const scriptsTwo = join(root, 'scripts-two')
    cpSync(scriptsOne, scriptsTwo, { recursive: true })
    // The undo is gone from the directory: its stored copy runs.
    rmSync(join(scriptsTwo, 'before_backups'), { recursive: true })
    // Every third: the first test has them all. All of them in `test:long`.
    let count = 0
    const matters = (point: string): boolean => !point.startsWith('before write') && (long || count++ % 3 === 0)
    await sweep(matters, (place, where) => recoverAndCheck(place, scriptsTwo, 'two', where))
  },
)
