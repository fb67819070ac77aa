// Both forms of the dump, against a cluster that is none: its pods run commands on this machine.
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { scripts } from '@holdfast/plugin-scripts'
import { createTestRun, startFakeKubernetes, type FakeKubernetes, type TestRun } from '@holdfast/testing'
import type { Plan } from '@holdfast/sdk'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import dump from '../hooks/dump.ts'

let server: FakeKubernetes
let directory = ''

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-example-'))
  const bin = join(directory, 'bin')
  server = await startFakeKubernetes({ namespace: 'shop' })
  server.addPod({
    name: 'shop-0',
    containers: [{ name: 'database', directory }],
  })
  writeFileSync(join(directory, 'kubeconfig'), server.kubeconfig())
  symlinkSync(join(import.meta.dirname, '../../../apps/sidecar/bin'), bin)
  symlinkSync(join(bin, 'kubectlexec'), join(directory, 'kubectlexec'))
  vi.stubEnv('POD_NAME', 'shop-0')
  vi.stubEnv('TARGET_CONTAINER', 'database')
  vi.stubEnv('HOLDFAST_BIN', bin)
  vi.stubEnv('KUBECONFIG', join(directory, 'kubeconfig'))
  vi.stubEnv('PATH', `${directory}${delimiter}${process.env['PATH']}`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** What the container has for a pg_dump. */
function pgDump(lines: string): void {
  const file = join(directory, 'pg_dump')
  writeFileSync(file, `#!/bin/sh\n${lines}\n`)
  chmodSync(file, 0o755)
}

async function started(use: Plan['use']): Promise<TestRun> {
  const run = await createTestRun({ use, cluster: server })
  onTestFinished(() => run.close())
  return run
}

const forms: readonly (readonly [string, () => Plan['use']])[] = [
  ['TypeScript', () => [dump]],
  ['shell', () => [scripts({ path: join(import.meta.dirname, '../scripts') })]],
]

test.each(forms)('in %s: what pg_dump prints in the container becomes the artifact', async (_, use) => {
  pgDump('echo "$@"')
  const run = await started(use())
  const { outcome } = await run.run()
  expect(outcome.status).toBe('succeeded')
  const [point] = outcome.targets.flatMap(({ points }) => points)
  expect(point?.id).toMatch(/shop\.dump$/)
  const bytes = await buffer(run.engine.store().open(point?.id ?? '', { signal: AbortSignal.timeout(10_000) }))
  expect(bytes.toString()).toBe('--format=custom shop\n')
})

test.each(forms)('in %s: a dump that fails half-way is not kept', async (_, use) => {
  pgDump('echo half; exit 1')
  const run = await started(use())
  const { outcome } = await run.run()
  expect(outcome.status).toBe('failed')
  expect(outcome.targets.flatMap(({ points }) => points)).toEqual([])
})

test.each(forms)('in %s: without the right to execute, the error names it', async (_, use) => {
  pgDump('echo never')
  server.authorize.deny({ verb: ['create', 'get'], resource: 'pods/exec' })
  const run = await started(use())
  const { outcome } = await run.run()
  expect(outcome.status).toBe('failed')
  const said = [...run.log, ...outcome.targets.map(({ error }) => `${error?.message} ${error?.hint}`)].join('\n')
  expect(said).toContain('does not allow to get pods/exec')
  expect(said.replaceAll('\\', '')).toContain('verbs: ["create", "get"]')
})
