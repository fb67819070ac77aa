import { createArtifactStore, fsStorage, type StoredArtifact } from '@holdfast/runtime'
import { testClock } from '@holdfast/testing'
import type { Workspace } from './workspace.ts'

/** A key that opens what is encrypted to {@link testRecipient}; made for these tests. */
export const testIdentity = 'AGE-SECRET-KEY-170WF2E2S7GTJWHYWLS959AZJ5Z5F07RKNYARYGLDRUJLZNMCU3GQQYUG86'
/** The public half of {@link testIdentity}. */
export const testRecipient = 'age158mzh9d06ckrra52z69ju8rrdjsjr8gr5cyfa4g4z8uthylkq9vse0g9j3'

/** What a run of the past has stored of one target. */
export interface PastRun {
  /** When it began. */
  readonly at: string
  readonly plan?: string
  readonly target?: string
  readonly run?: string
  /** Texts by their names, each complete a minute after the one before it. */
  readonly files: Readonly<Record<string, string>>
  readonly encrypted?: boolean
  /** Bytes are stored as they are. */
  readonly plain?: boolean
  /** Not read back. */
  readonly unverified?: boolean
}

/** Puts backups of the past into the directory `store` of a workspace. @returns its URL, and what is in it */
export async function storeOf(
  here: Workspace,
  runs: readonly PastRun[],
): Promise<{ readonly url: string; readonly artifacts: readonly StoredArtifact[] }> {
  const { signal } = new AbortController()
  const artifacts: StoredArtifact[] = []
  for (const {
    at,
    plan = 'shop',
    target = 'db',
    files,
    encrypted = false,
    plain = false,
    unverified = false,
    ...given
  } of runs) {
    const clock = testClock({ now: at })
    const startedAt = clock.now()
    const store = createArtifactStore({
      driver: fsStorage({ path: here.at('store') }),
      instance: 'default',
      clock,
      log: { warn() {} },
    })
    const run = given.run ?? `${at.replaceAll(/[-:]|\.\d+/g, '')}-00000000`
    const encoding = {
      compression: plain ? 'none' : 'zstd',
      recipients: encrypted ? [testRecipient] : [],
      identity: undefined,
    } as const
    for (const [name, text] of Object.entries(files)) {
      const made = await store.create({ plan, target, run, name, startedAt, encoding, signal }, (sink) =>
        sink.write(Buffer.from(text)),
      )
      artifacts.push(unverified ? made : await store.verify(made.id, { signal }))
      await clock.advance('1m')
    }
  }
  return { url: `file://${here.at('store')}`, artifacts }
}

/** Where the files of a store are whose names contain a text. */
export function storedFile(here: Workspace, { id }: Pick<StoredArtifact, 'id'>, suffix: string): string {
  return here.at('store', 'default', `${id}${suffix}`)
}
