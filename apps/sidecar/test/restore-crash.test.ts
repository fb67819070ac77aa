// A restore that is killed with SIGKILL, in a process of its own, in the middle of writing a file.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { storeOf } from './support/backups.ts'
import { follow } from './support/process.ts'
import { workspace, type Workspace } from './support/workspace.ts'

// A store that stops answering in the middle of the data.
const slow = `import { fsStorage } from '@holdfast/runtime'
export function slow({ path }) {
  const driver = fsStorage({ path })
  return {
    ...driver,
    async *get(key, options) {
      for await (const chunk of driver.get(key, options)) {
        if (!key.includes('.data')) { yield chunk; continue }
        yield chunk
        await new Promise((resolve) => setTimeout(resolve, 3_600_000))
      }
    },
  }
}
`
const main = join(import.meta.dirname, '../src/holdfast.ts')
const entry = `import(${JSON.stringify(main)}).then(({ main }) => main())`

/** Restores into `out/`, and is killed when half of it is there. @returns the partial file */
async function killedHalfWay(here: Workspace): Promise<string> {
  const store = `./slow.mjs#slow:${JSON.stringify({ path: here.at('store') })}`
  const args = ['restore', '--plan', 'shop', '--to', 'out/', '--storage', store]
  const { child, ended, output } = follow(['--conditions=@holdfast/source', '-e', entry, 'holdfast', ...args], {
    cwd: here.path,
    env: { HOLDFAST_STATE_DIR: here.state },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const partial = (): string | undefined =>
    existsSync(here.at('out'))
      ? readdirSync(here.at('out')).find((name) => readFileSync(here.at('out', name)).length > 0)
      : undefined
  while (partial() === undefined && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(child.exitCode, output().toString()).toBeNull()
  child.kill('SIGKILL')
  expect(await ended).toMatchObject({ signal: 'SIGKILL' })
  return here.at('out', partial() ?? 'none')
}

async function rescue(): Promise<{ readonly here: Workspace; readonly text: string }> {
  const here = workspace({ 'slow.mjs': slow })
  const text = 'row of orders\n'.repeat(200_000)
  await storeOf(here, [{ at: '2026-11-20T02:00:00Z', files: { 'orders.sql': text }, plain: true }])
  return { here, text }
}

test('fault F3: kill -9 in the middle of a restore: the undo says what was half restored and removes it', async () => {
  const { here, text } = await rescue()
  // Something has run here before: there is a journal.
  here.write(
    'holdfast.yaml',
    `plans: { other: { use: [ { '@holdfast/plugin-scripts#scripts': { path: ${here.path}/scripts } } ] } }\n`,
  )
  here.script('backups/1', 'true')
  expect((await here.run(['run', 'other'])).code).toBe(0)
  const partial = await killedHalfWay(here)
  expect(partial).toMatch(/\/out\/\.orders\.sql\.\d+-\d+-[0-9a-f]{8}\.restoring$/)

  const pending = await here.run(['undo', 'list'])
  expect(pending.stdout).toContain(`half restored is ${here.at('out/orders.sql')}, so far ${partial}`)
  const given = await here.run(['undo', 'run', '--all', '--yes'])
  expect(given.code).toBe(0)
  expect(given.stderr).toMatch(
    /out\/orders\.sql was half restored when its process ended: the .* that were there, in .*, are removed/,
  )
  expect(readdirSync(here.at('out'))).toEqual([])

  // Once more, and this time the next restore deals with it.
  await killedHalfWay(here)
  const again = await here.run(['restore', '--plan', 'shop', '--to', 'out/', '--storage', `file://${here.at('store')}`])
  expect(again.code).toBe(0)
  expect(again.stderr).toContain('was half restored when its process ended')
  expect(readdirSync(here.at('out'))).toEqual(['orders.sql'])
  expect(readFileSync(here.at('out/orders.sql'), 'utf8')).toBe(text)
  const history = JSON.parse((await here.run(['history', '--json'])).stdout) as { status: string; trigger: string }[]
  expect(history.filter(({ trigger }) => trigger === 'restore').map(({ status }) => status)).toEqual([
    'succeeded',
    'aborted',
    'aborted',
  ])
})

test('fault F3: the same where there is no journal: the next restore to the same place finds the partial file', async () => {
  const { here, text } = await rescue()
  const partial = await killedHalfWay(here)
  expect(existsSync(here.state)).toBe(false)
  writeFileSync(here.at('out/.orders.sql.swp'), 'of an editor')
  const args = ['restore', '--plan', 'shop', '--storage', `file://${here.at('store')}`, '--to']
  // Somewhere else it is none of its business.
  expect((await here.run([...args, 'elsewhere/'])).stderr).not.toContain('half restored')
  const { code, stderr } = await here.run([...args, 'out/'])
  expect(code).toBe(0)
  expect(stderr).toContain(`out/orders.sql was half restored by a process that is gone`)
  expect(stderr).toContain(partial)
  expect(readdirSync(here.at('out'))).toEqual(['.orders.sql.swp', 'orders.sql'])
  expect(readFileSync(here.at('out/orders.sql'), 'utf8')).toBe(text)
})
