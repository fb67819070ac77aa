// Runs the commands of docs/restore-without-holdfast.md, as they stand there, against artifacts of the real store.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EncodingOptions } from '../packages/sdk/src/index.ts'
import { createArtifactStore, fsStorage, systemClock } from '../packages/runtime/src/index.ts'
import { blockOf, tableCommands } from './page-blocks.ts'

const page = 'docs/restore-without-holdfast.md'
/** Where the page says that the store is. */
const place = '/mnt/backups'

/** A store in a directory, with a backup in it. */
export interface StoredBackup {
  readonly directory: string
  readonly content: Buffer
}

/** Stores a backup as the page says: plan `shop`, target `orders`, name `dump.sql`; and an older one before it. */
export async function storeBackup(encoding: EncodingOptions, content: Buffer): Promise<StoredBackup> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-restore-page-'))
  const { compression = 'zstd', recipients = [] } = encoding
  const log = { warn: console.warn }
  const store = createArtifactStore({
    driver: fsStorage({ path: directory }),
    instance: 'default',
    clock: systemClock,
    log,
  })
  const { signal } = new AbortController()
  for (const [day, bytes] of [
    ['2026-11-22', Buffer.from('an older one')],
    ['2026-11-23', content],
  ] as const) {
    const { id } = await store.create(
      {
        plan: 'shop',
        target: 'orders',
        run: `run-${day}`,
        name: 'dump.sql',
        startedAt: new Date(`${day}T03:00:00Z`),
        // Fields of the same names further in are somebody else's.
        meta: { sha256: 'not ours', nested: { storedSha256: 'not ours', size: 7 } },
        encoding: { compression, recipients, identity: undefined },
        signal,
      },
      (sink) => sink.write(bytes),
    )
    await store.verify(id, { signal })
  }
  return { directory, content }
}

/** Commands of the page. */
export interface Commands {
  /** One block of it. */
  block(name: string): string
  /** What turns the bytes of a file back whose name ends so. */
  decode(suffix: string): string
}

/** Reads them from the page. */
export function readCommands(): Commands {
  const table = tableCommands(page)
  return {
    block: (name) => blockOf(page, name),
    decode(suffix) {
      const command = table.get(suffix)
      if (command === undefined) throw new Error(`${page} has no command for "${suffix}" any more`)
      return command
    },
  }
}

/**
 * Runs commands of the page one after the other, in a shell that ends with the first that fails.
 *
 * @param commands - in which the page's store becomes this one's directory
 * @returns what they print, and the file that they make
 */
export function runCommands(
  { directory }: Pick<StoredBackup, 'directory'>,
  commands: readonly string[],
): { readonly output: string; readonly restored: Buffer } {
  const script = ['set -eu', blockOf(page, 'pipefail'), `cd '${directory}'`, ...commands]
    .join('\n')
    .replaceAll(place, directory)
  const output = execFileSync('bash', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  return { output, restored: readFileSync(join(directory, 'dump.sql')) }
}
