import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sink } from '@holdfast/sdk'
import { createTestRun, fakeExec, replies, type FakeCommand, type TestRun } from '@holdfast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { benjiCommand, type BenjiCommandOptions } from '../../src/command/benji-command.ts'

async function runOf(
  options: BenjiCommandOptions,
  benji?: FakeCommand,
): Promise<TestRun & { readonly calls: readonly (readonly string[])[] }> {
  const exec = benji && fakeExec({ benji, '/opt/benji': benji })
  const made = await createTestRun({ use: [benjiCommand(options)], exec })
  onTestFinished(() => made.close())
  return Object.defineProperty(made as TestRun & { calls: readonly (readonly string[])[] }, 'calls', {
    get: () => exec?.calls.map(({ command }) => command) ?? [],
  })
}

test('a command is run as it is told, with JSON and the level of its log', async () => {
  const run = await runOf({ args: ['rm', '--force', 'a b'] }, replies())
  expect((await run.run()).outcome.status).toBe('succeeded')
  expect(run.calls).toEqual([['benji', '--machine-output', '--log-level', 'INFO', 'rm', '--force', 'a b']])
  const engine = { command: ['/opt/benji'], configFile: '/etc/b.yaml', logLevel: 'DEBUG' } as const
  const other = await runOf({ args: ['ls'], engine }, replies())
  await other.run()
  expect(other.calls).toEqual([
    ['/opt/benji', '--config-file', '/etc/b.yaml', '--machine-output', '--log-level', 'DEBUG', 'ls'],
  ])
})

test('K29: a failure says what Benji said, and has its exit code', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'benji-command-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const program = join(directory, 'benji')
  const event = (level: string, text: string): string => JSON.stringify({ level, event: text })
  writeFileSync(
    program,
    `#!/bin/sh
echo '${event('info', 'Begin')}' >&2
echo '${event('error', 'AlreadyLocked: Version U is already locked.')}' >&2
echo 'not JSON {' >&2
echo '${event('info', 'End')}' >&2
printf '%s|' "$VARIABLE" "$(cat)"; exit 77
`,
  )
  chmodSync(program, 0o755)
  const engine = { command: [program], env: { VARIABLE: 'of the engine' } } as const
  const run = await runOf({ args: ['restore', 'U', 'file:/x'], stdin: 'read', engine })
  const { outcome } = await run.run()
  expect(outcome.status).toBe('failed')
  expect(outcome.error).toMatchObject({
    code: 'BENJI_LOCKED',
    message: expect.stringContaining('AlreadyLocked: Version U is already locked.') as string,
    details: { exitCode: 77 },
  })
  expect(run.log.join('')).toContain('of the engine|read|')
  expect(run.log.find((line) => line.includes('already locked'))).toContain('"level":"error"')
})

test('what it prints can be taken as it is', async () => {
  const printed = { stdout: '', stderr: '' }
  const taken = (name: 'stdout' | 'stderr'): Sink => ({
    write: async (chunk) => void (printed[name] += Buffer.from(chunk).toString()),
  })
  const command = ['/bin/sh', '-c', 'echo "result"; echo log >&2; exit 65', 'benji'] as const
  const output = { stdout: taken('stdout'), stderr: taken('stderr') }
  const run = await runOf({ args: ['scrub', 'U'], output, engine: { command } })
  expect((await run.run()).outcome.error?.details).toMatchObject({ exitCode: 65 })
  expect(printed).toEqual({ stdout: 'result\n', stderr: 'log\n' })
})

test('fault C6: Benji is stopped with SIGINT, on which it releases its locks', async () => {
  let signal: string | undefined
  const run = await runOf({ args: ['cleanup'] }, ({ request }) => {
    signal = request.stopSignal
    return {}
  })
  await run.run()
  expect(signal).toBe('SIGINT')
})

test('a program that is not there is its own error', async () => {
  const run = await runOf({ args: ['ls'], engine: { command: ['/nowhere/benji'] } })
  expect((await run.run()).outcome.error).toMatchObject({ code: 'EXEC_NOT_FOUND' })
})
