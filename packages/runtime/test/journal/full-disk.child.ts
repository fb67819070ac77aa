// A process that dies with something taken while its disk fills up, or the start that comes after it.
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineHook, defineUndo } from '@holdfast/sdk'
import { createTestRun } from '@holdfast/testing'
import { anything } from '../lifecycle/hooks.ts'

const [part = '', directory = '', frozen = ''] = process.argv.slice(2)
const thaw = defineUndo({
  name: 'thaw',
  input: anything<null>(),
  deadline: '2m',
  run() {
    rmSync(frozen, { force: true })
    appendFileSync(`${frozen}.thawed`, 'x')
  },
})
const quiesce = defineHook(
  'maintain',
  async ({ undo }) => {
    if (part !== 'die') return
    await undo.arm(thaw, null)
    writeFileSync(frozen, '')
    fill()
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => {})
  },
  { name: 'quiesce', undos: [thaw] },
)

/** Leaves not a page. */
function fill(): void {
  const full = join(directory, 'full')
  writeFileSync(full, '', { flag: 'a' })
  for (const size of [64 * 1024, 4096, 1]) {
    try {
      for (;;) appendFileSync(full, Buffer.alloc(size))
    } catch {
      // It has no room for that much.
    }
  }
}

const said: Record<string, unknown> = {}
const run = await createTestRun({ use: [quiesce], stateDirectory: directory })
if (part === 'die') await run.run()
const { undos } = await run.engine.recover()
await run.engine.finishRecovery()
said['recovered'] = undos.map(({ result }) => result)
said['told'] = run.log.filter((line) => line.includes('JOURNAL_READ_ONLY')).length
said['counted'] = (await run.metrics.text()).includes('holdfast_state_store_errors_total{op="write"} 1')
const { outcome } = await run.run()
said['run'] = [outcome.status, outcome.error?.code]
if (part === 'wait for room') {
  rmSync(join(directory, 'full'))
  await run.clock.advance('2s')
  said['withRoom'] = (await run.run()).outcome.status
}
await run.close()
said['times'] = readFileSync(`${frozen}.thawed`, 'utf8').length
console.log(JSON.stringify(said))
