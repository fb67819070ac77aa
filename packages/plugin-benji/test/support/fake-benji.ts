import type { FakeCall, FakeCommand, FakeReply } from '@holdfast/testing'
import { parseArgv, type OptionTable } from './argv.ts'
import { createBadDays, Ended, isDeath, type Reach } from './bad-days.ts'
import { backup } from './fake-backup.ts'
import { objectSize } from './fake-images.ts'
import { restore } from './fake-restore.ts'
import { batchScrub, scrub } from './fake-scrub.ts'
import { cleanup, enforce, label, ls, metadataBackup, metadataLs, protect, rm, versionInfo } from './fake-upkeep.ts'
import {
  BenjiFailure,
  createFakeLog,
  findVersion,
  writeMetadata,
  type FakeBenjiCommand,
  type FakeBenjiOptions,
  type FakeStore,
  type FakeVersion,
} from './fake-versions.ts'

/** A Benji with its versions in memory, that backs up images of a fake Ceph. */
export interface FakeBenji extends FakeStore {
  /** The `benji` command: `fakeExec({ benji: benji.command, rbd: ceph.command })`. */
  readonly command: FakeCommand
  /** Every call's words and options, without what stands before the command: `rm --force u-1`. */
  readonly calls: readonly string[]
  version(uid: string): FakeVersion
  /** One that is there already; valid, with its metadata in the storage, unless said otherwise. */
  add(
    version: Partial<Omit<FakeVersion, 'labels' | 'contents'>> & {
      readonly volume: string
      readonly labels?: Readonly<Record<string, string>>
      readonly contents?: Readonly<Record<number, string>>
    },
  ): FakeVersion
  /** A block isn't any more what was stored. */
  damage(uid: string, block: number): void
  /** As a Benji that is killed in the middle of a backup leaves it: incomplete and locked (C6). */
  addKilled(version: { readonly uid: string; readonly volume: string; readonly date?: Date }): FakeVersion
}

const globals: OptionTable = {
  options: { 'config-file': true, 'machine-output': false, 'log-level': true, 'no-color': false, help: false },
  short: { c: 'config-file', m: 'machine-output', h: 'help' },
  stopAtWord: true,
}

interface Command {
  readonly run: FakeBenjiCommand
  readonly table: OptionTable
  /** How many arguments it has to have, and may have. */
  readonly words: readonly [number, number]
}

const flags = { force: false, 'keep-metadata-backup': false, 'override-lock': false } as const
const percentages = { 'block-percentage': true, 'version-percentage': true, group_label: true } as const
const commands: Readonly<Record<string, Command>> = {
  backup: {
    run: backup,
    table: {
      options: {
        uid: true,
        snapshot: true,
        'rbd-hints': true,
        'base-version': true,
        'block-size': true,
        label: true,
        storage: true,
      },
      short: { u: 'uid', s: 'snapshot', r: 'rbd-hints', f: 'base-version', b: 'block-size', l: 'label', S: 'storage' },
    },
    words: [2, 2],
  },
  restore: {
    run: restore,
    table: { options: { sparse: false, force: false }, short: { s: 'sparse', f: 'force' } },
    words: [2, 2],
  },
  ls: {
    run: ls,
    table: {
      options: { 'include-labels': false, 'include-stats': false },
      short: { l: 'include-labels', s: 'include-stats' },
    },
    words: [0, 1],
  },
  rm: { run: rm, table: { options: flags, short: { f: 'force', k: 'keep-metadata-backup' } }, words: [1, Infinity] },
  enforce: {
    run: enforce,
    table: {
      options: { 'dry-run': false, 'keep-metadata-backup': false, group_label: true },
      short: { k: 'keep-metadata-backup', g: 'group_label' },
    },
    words: [1, 2],
  },
  protect: { run: protect(true), table: { options: {} }, words: [1, Infinity] },
  unprotect: { run: protect(false), table: { options: {} }, words: [1, Infinity] },
  label: { run: label, table: { options: {} }, words: [2, Infinity] },
  scrub: { run: scrub(false), table: { options: percentages, short: { p: 'block-percentage' } }, words: [1, 1] },
  'deep-scrub': {
    run: scrub(true),
    table: { options: { ...percentages, source: true }, short: { p: 'block-percentage', s: 'source' } },
    words: [1, 1],
  },
  'batch-scrub': {
    run: batchScrub(false),
    table: { options: percentages, short: { p: 'block-percentage', P: 'version-percentage', g: 'group_label' } },
    words: [0, 1],
  },
  'batch-deep-scrub': {
    run: batchScrub(true),
    table: { options: percentages, short: { p: 'block-percentage', P: 'version-percentage', g: 'group_label' } },
    words: [0, 1],
  },
  cleanup: { run: cleanup, table: { options: flags }, words: [0, 0] },
  'metadata-backup': { run: metadataBackup, table: { options: flags, short: { f: 'force' } }, words: [1, 1] },
  'metadata-ls': { run: metadataLs, table: { options: { storage: true }, short: { S: 'storage' } }, words: [0, 0] },
  'version-info': { run: versionInfo, table: { options: {} }, words: [0, 0] },
}

/** Creates a {@link FakeBenji}. */
export function createFakeBenji(options: Pick<FakeBenjiOptions, 'ceph'> & Partial<FakeBenjiOptions>): FakeBenji {
  const badDays = createBadDays()
  const calls: string[] = []
  const store: FakeStore = {
    ceph: options.ceph,
    badDays,
    versions: [],
    locks: new Set(),
    metadata: new Map(),
    options: {
      storages: ['s1'],
      blockSize: objectSize,
      ios: ['rbd'],
      disallowRemoveWhenYounger: 6,
      sanityBlocks: 10,
      ...options,
    },
  }
  const add: FakeBenji['add'] = ({ labels = {}, contents, ...version }) => {
    const size = version.size ?? 4 * objectSize
    const made: FakeVersion = {
      uid: `u-${store.versions.length + 1}`,
      date: new Date('2025-12-31T00:00:00Z'),
      snapshot: '',
      blockSize: store.options.blockSize,
      status: 'valid',
      protected: false,
      storage: store.options.storages[0] ?? '',
      stats: { bytes_read: size, bytes_written: size, bytes_deduplicated: 0, bytes_sparse: 0, duration: 1 },
      damaged: new Set(),
      ...version,
      size,
      labels: new Map(Object.entries(labels)),
      contents: new Map(Object.entries(contents ?? { 0: 'a', 1: 'a' }).map(([index, word]) => [Number(index), word])),
    }
    store.versions.push(made)
    if (made.status !== 'incomplete') writeMetadata(store, made)
    return made
  }
  return {
    ...store,
    calls,
    add,
    version: (uid) => findVersion(store, uid),
    damage: (uid, block) => void findVersion(store, uid).damaged.add(block),
    addKilled({ uid, volume, date }) {
      store.locks.add(`Version ${uid}`)
      return add({ uid, volume, status: 'incomplete', stats: undefined, ...(date && { date }) })
    },
    async command(call) {
      const before = parseArgv(call.command.slice(1), globals)
      const [name = '', ...rest] = before.words
      const command = commands[name]
      if (before.unknown !== undefined) return usage(`unrecognized arguments: ${before.unknown}`, 2)
      if (name === '') return { stdout: 'usage: benji [-h] [-c CONFIG_FILE] …\n', exitCode: 64 }
      if (!command) return usage(`argument {…}: invalid choice: '${name}'`, 2)
      const parsed = parseArgv(rest, command.table)
      if (parsed.unknown !== undefined) return usage(`unrecognized arguments: ${parsed.unknown}`, 2)
      const [least, most] = command.words
      if (parsed.words.length < least) return usage('the following arguments are required: …', 2)
      if (parsed.words.length > most) return usage(`unrecognized arguments: ${parsed.words.slice(most).join(' ')}`, 2)
      calls.push([name, ...rest].join(' '))
      const machine = before.options.has('machine-output')
      const level = before.options.get('log-level')?.at(-1) ?? 'INFO'
      const all = (option: string): readonly string[] => parsed.options.get(option) ?? []
      return badDays.run(call, [name, ...parsed.words], (reach) =>
        run(call, { command, machine, level, store, reach, words: parsed.words, all }),
      )
    },
  }
}

interface Invocation {
  readonly command: Command
  readonly machine: boolean
  readonly level: string
  readonly store: FakeStore
  readonly reach: Reach
  readonly words: readonly string[]
  readonly all: (option: string) => readonly string[]
}

async function run(call: FakeCall, invocation: Invocation): Promise<FakeReply> {
  const { command, machine, level, store, reach, words, all } = invocation
  const log = createFakeLog(machine, level, () => call.clock.now())
  const option = (name: string): string | undefined => all(name).at(-1)
  try {
    const stdout = await command.run({ store, log, now: call.clock.now(), reach, words, option, all })
    return { stdout, stderr: log.text }
  } catch (error) {
    if (error instanceof BenjiFailure) {
      log.error(error.message)
      return { stdout: error.stdout, stderr: log.text, exitCode: error.exitCode }
    }
    // What dies says no more; what fails with a code of its own says an event.
    if (error instanceof Ended) {
      if (!isDeath(error)) log.error(`OSError: a bad day (${error.exitCode})`)
      throw new Ended(error.exitCode, log.text)
    }
    if (typeof call.request.stderr === 'object') await call.request.stderr.write(Buffer.from(log.text))
    throw error
  }
}

function usage(what: string, exitCode: number): FakeReply {
  return { stderr: `usage: benji [-h] [-c CONFIG_FILE] [-m]\nbenji: error: ${what}\n`, exitCode }
}
