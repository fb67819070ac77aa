// Building blocks of the drills' tests: an application that is backed up, and restored elsewhere.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createTestRun, type CreateTestRunOptions, type TestRun } from '@holdfast/testing'
import { defineHook, definePlugin, type Drill, type HookModule, type Plugin } from '@holdfast/sdk'
import { onTestFinished } from 'vitest'
import { anything, behave, type Behaviour } from '../lifecycle/hooks.ts'

/** A server of databases: what is restored into it stays there until somebody drops it. */
export interface Server {
  /** By name. The application's own is `shop`. */
  readonly databases: Map<string, string>
  /** How restoring goes. */
  restoring: Behaviour
}

/** An empty server, but for the application's own database. */
export function server(rows = 'rows'): Server {
  return { databases: new Map([['shop', rows]]), restoring: 'ok' }
}

/** Dumps the application's database, and restores into another one of the same server. */
export function database(
  of: Server,
  {
    targets = ['database'],
    reads = 'all',
  }: { readonly targets?: readonly string[]; readonly reads?: 'all' | 'a part' | 'nothing' } = {},
): Plugin {
  return definePlugin({
    name: 'database',
    version: '1.0.0',
    sdk: '^1.0',
    config: anything<object>(),
    targets: () => targets.map((id) => ({ id, labels: {}, data: null })),
    hooks: {
      backups: (ctx) => ctx.createArtifact('dump', (sink) => sink.write(Buffer.from(of.databases.get('shop') ?? ''))),
    },
    restore: {
      options: {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value) => {
            const unknown = Object.keys(value as object).find((key) => key !== 'database')
            return unknown === undefined ? { value } : { issues: [{ message: 'is not known', path: [unknown] }] }
          },
        },
      },
      async run(ctx) {
        const { database: name } = ctx.options as { database: string }
        of.databases.set(name, '')
        await behave(of.restoring, ctx.signal)
        if (reads === 'nothing') return { where: name }
        const chunks: Uint8Array[] = []
        for await (const chunk of ctx.openArtifact(ctx.point.id)) {
          chunks.push(chunk)
          if (reads === 'a part') break
        }
        of.databases.set(name, Buffer.concat(chunks).toString())
        return { where: name }
      },
    },
  })({})
}

/** A hook module that keeps files, and says nothing of restoring. */
export function files(contents: Readonly<Record<string, string>>): HookModule {
  return defineHook(
    'backups',
    async ({ createArtifact }) => {
      for (const [name, text] of Object.entries(contents)) {
        await createArtifact(name, (sink) => sink.write(Buffer.from(text)))
      }
    },
    { name: 'files' },
  )
}

/** A drill of the database: restores into one of its own, and drops it. */
export function databaseDrill(of: Server, more: Partial<Omit<Drill, 'plan'>> = {}): Omit<Drill, 'plan'> {
  return {
    name: 'weekly',
    options: { database: 'drill_{suffix}' },
    expect: () => {},
    cleanup: ({ options }) => of.databases.delete(options['database'] ?? ''),
    ...more,
  }
}

/** A run that is closed at the end of the test. */
export async function drillRun(options: CreateTestRunOptions): Promise<TestRun> {
  const made = await createTestRun(options)
  onTestFinished(() => made.close())
  return made
}

/** The same after so many successful backups, a day apart. */
export async function backedUp(options: CreateTestRunOptions, times = 1): Promise<TestRun> {
  const run = await drillRun(options)
  for (let time = 0; time < times; time++) {
    const { outcome } = await run.run()
    if (outcome.status !== 'succeeded') throw new Error(`the backup ${outcome.status}`, { cause: outcome.error })
    await run.clock.advance('24h')
  }
  return run
}

/** The directories of drills that are there. */
export function scratches({ stateDirectory }: TestRun): readonly string[] {
  const root = join(stateDirectory, 'drills')
  return existsSync(root) ? readdirSync(root) : []
}

/** Waits for something that happens by itself. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

/** The values of a metric, by the values of its labels. */
export async function read(run: TestRun, name: string): Promise<Readonly<Record<string, number>>> {
  const found = (await run.metrics.text()).matchAll(new RegExp(`^${name}\\{(.*)\\} (\\S+)$`, 'gm'))
  return Object.fromEntries(
    [...found].map(([, labels = '', number]) => [
      [...labels.matchAll(/="([^"]*)"/g)].map(([, value]) => value).join(' '),
      Number(number),
    ]),
  )
}
