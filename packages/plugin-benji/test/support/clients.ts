import type { Exec, Logger } from '@holdfast/sdk'
import { fakeExec, testClock, type FakeCommand, type FakeExec, type TestClock } from '@holdfast/testing'
import { onTestFinished } from 'vitest'
import type { Benji } from '../../src/benji/benji.ts'
import { createBenji } from '../../src/benji/create-benji.ts'
import type { BenjiEngine } from '../../src/engine.ts'
import { createRbd } from '../../src/rbd/create-rbd.ts'
import type { Rbd } from '../../src/rbd/rbd.ts'
import { createFakeBenji, type FakeBenji } from './fake-benji.ts'
import { createFakeCeph, type FakeCeph } from './fake-ceph.ts'
import type { FakeBenjiOptions } from './fake-versions.ts'

/** Lines of a log: `warn: …`. */
export interface RecordedLog {
  readonly log: Logger
  readonly lines: readonly string[]
}

/** A log that remembers. */
export function recordLog(): RecordedLog {
  const lines: string[] = []
  const at =
    (level: keyof Logger) =>
    (message: string): void =>
      void lines.push(`${level}: ${message}`)
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

/** Both clients on fakes. */
export interface Clients extends RecordedLog {
  readonly ceph: FakeCeph
  /** The fake. */
  readonly fake: FakeBenji
  readonly clock: TestClock
  readonly exec: FakeExec
  readonly rbd: Rbd
  readonly benji: Benji
  /** What a hook's signal is. */
  readonly controller: AbortController
}

/** Options of {@link startClients}. */
export interface StartClientsOptions {
  readonly engine?: BenjiEngine | undefined
  readonly fake?: Partial<FakeBenjiOptions> | undefined
  /** Instead of, or besides, the fakes. */
  readonly commands?: Readonly<Record<string, FakeCommand>> | undefined
  /** Looks at requests, or changes what executes them. */
  readonly wrap?: ((exec: Exec) => Exec) | undefined
}

/** Starts {@link Clients}. */
export function startClients({ engine, fake, commands, wrap = (exec) => exec }: StartClientsOptions = {}): Clients {
  const ceph = createFakeCeph()
  const benji = createFakeBenji({ ceph, ...fake })
  const clock = testClock()
  const controller = new AbortController()
  const exec = fakeExec({ rbd: ceph.command, benji: benji.command, ...commands })
  const recorded = recordLog()
  const { signal } = controller
  const ctx = { exec: wrap(exec.create({ signal, clock })), signal, log: recorded.log, clock }
  onTestFinished(() => controller.abort(new Error('the test is over')))
  return {
    ...recorded,
    ceph,
    fake: benji,
    clock,
    exec,
    controller,
    rbd: createRbd(ctx, engine),
    benji: createBenji(ctx, engine),
  }
}

/** The code and the details of what a promise rejects with; fails when it doesn't. */
export async function failureOf(work: Promise<unknown>): Promise<{
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>
}> {
  try {
    await work
  } catch (error) {
    return error as Awaited<ReturnType<typeof failureOf>>
  }
  throw new Error('it succeeded')
}
