import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duration, Plan, TargetOutcome } from '@holdfast/sdk'
import {
  advanceUntil,
  createTestRun,
  fakeExec,
  type FakeCommand,
  type FakeKubernetes,
  type TestRun,
} from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import { benjiBackup } from '../../src/benji-backup.ts'
import type { BenjiBackupOptions } from '../../src/backup/options.ts'
import { createFakeBenji, type FakeBenji } from './fake-benji.ts'
import { createFakeCeph, type FakeCeph } from './fake-ceph.ts'
import type { FakeBenjiOptions } from './fake-versions.ts'

/** Backups on the real runner, with a fake Benji and a fake Ceph. */
export interface BackupRun {
  readonly ceph: FakeCeph
  readonly benji: FakeBenji
  readonly test: TestRun
  /** Runs the plan once. Time stands still meanwhile, unless it passes by steps, for what waits. */
  run(options?: { readonly step?: Duration }): Promise<{
    readonly status: string
    readonly targets: readonly TargetOutcome[]
    readonly error?: { readonly code: string } | undefined
  }>
  /** Every command that was run, its words joined by blanks. */
  commands(): readonly string[]
  /** Lines of the log at a level. */
  said(level: 'info' | 'warn' | 'error'): readonly string[]
  /** Bytes of a version, block by block, as a word each. */
  contents(uid: string): ReadonlyMap<number, string>
}

/** Options of {@link backupRun}. */
export interface BackupRunOptions {
  readonly options?: Partial<BenjiBackupOptions> | undefined
  readonly plan?: Partial<Omit<Plan, 'use'>> | undefined
  readonly benji?: Partial<FakeBenjiOptions> | undefined
  readonly cluster?: FakeKubernetes | undefined
  /** More plugins of the plan, with its engine. */
  readonly also?: ((engine: { readonly configFile: string }) => Plan['use']) | undefined
  /** Is told of each command before it runs. */
  readonly onCommand?: ((command: string) => void) | undefined
}

/** Creates a {@link BackupRun}: of the image rbd/data, which is there, unless the options say otherwise. */
export async function backupRun({
  options,
  plan,
  benji: given,
  cluster,
  also,
  onCommand,
}: BackupRunOptions = {}): Promise<BackupRun> {
  const ceph = createFakeCeph()
  ceph.create('rbd/data')
  const benji = createFakeBenji({ ceph, ...given })
  const configFile = benjiConfig(benji)
  const use = [
    benjiBackup({
      ...(options?.all === true || options?.namespaces || options?.pvcs ? {} : { images: ['rbd/data'] }),
      ...options,
      engine: { configFile, ...options?.engine },
    }),
    ...(also?.({ configFile }) ?? []),
  ]
  const told =
    (fake: FakeCommand): FakeCommand =>
    (call) => {
      onCommand?.(call.command.join(' '))
      return fake(call)
    }
  const exec = fakeExec({ benji: told(benji.command), rbd: told(ceph.command) })
  const test = await createTestRun({
    use,
    ...(plan && { plan }),
    exec,
    now: '2026-01-01T00:00:00Z',
    ...(cluster && { cluster }),
  })
  onTestFinished(() => test.close())
  return {
    ceph,
    benji,
    test,
    async run({ step } = {}) {
      // Two runs are never of the same second.
      await test.clock.advance('1s')
      const end = test.run()
      return (await (step === undefined ? end : advanceUntil(test.clock, end, step))).outcome
    },
    commands: () => exec.calls.map(({ command }) => command.join(' ')),
    said: (level) =>
      test.log
        .map((line) => JSON.parse(line) as { level: string; msg: string })
        .flatMap((line) => (line.level === level ? [line.msg] : [])),
    contents: (uid) => benji.version(uid).contents,
  }
}

/** Benji's configuration file, for its reader. */
export function benjiConfig({ options: { storages, ios, blockSize } }: Pick<FakeBenji, 'options'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'benji-config-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'benji.yaml')
  const config = {
    configurationVersion: '1',
    databaseEngine: 'sqlite:////nowhere',
    defaultStorage: storages[0],
    blockSize,
    storages: storages.map((name) => ({ name, module: 'file', configuration: { path: '/nowhere' } })),
    ios: ios.map((name) => ({ name, module: 'rbdaio' })),
  }
  writeFileSync(file, JSON.stringify(config))
  return file
}
