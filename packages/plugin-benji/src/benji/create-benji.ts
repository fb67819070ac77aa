import type { Duration, ServiceContext } from '@holdfast/sdk'
import type { BenjiEngine } from '../engine.ts'
import { errors } from '../errors.ts'
import { backupCommand, batchScrubCommand, filterWords, flagOption, valueOption } from './arguments.ts'
import type { Benji, BenjiScrubReport } from './benji.ts'
import { readCleanup, readRemovals } from './events.ts'
import { createFindings, type Findings } from './findings.ts'
import { equals } from './filter.ts'
import { requireLabels } from './names.ts'
import { parseScrub, parseUids, parseVersions } from './parse-versions.ts'
import { runBenji, whatOf, type BenjiCall } from './run-benji.ts'

/** For what only looks into the database. Benji waits for a locked SQLite for a minute. */
const quick: Duration = '10m'
/** Uids in one call: arguments have a limit of length. */
const uidsPerCall = 500

/** Creates a {@link Benji} that runs Benji's command line. */
export function createBenji(
  ctx: Pick<ServiceContext<unknown>, 'exec' | 'signal' | 'log' | 'clock'>,
  engine: BenjiEngine | undefined,
): Benji {
  const run = (call: BenjiCall): Promise<string> => runBenji(ctx, engine, call)
  const runEach = async (uids: readonly string[], call: (uids: readonly string[]) => BenjiCall): Promise<void> => {
    for (let at = 0; at < uids.length; at += uidsPerCall) await run(call(uids.slice(at, at + uidsPerCall)))
  }
  const ls: Benji['ls'] = async (filter) => {
    const call: BenjiCall = { command: { name: 'ls', words: filterWords(filter) }, about: filter, timeout: quick }
    return parseVersions(await run(call), whatOf(call))
  }
  const scrub = async (call: BenjiCall, findings: Findings): Promise<BenjiScrubReport> => {
    const result = await run({ ...call, onEvent: findings.onEvent, withResult: [65] })
    return findings.report(parseScrub(result, whatOf(call)))
  }

  return {
    ls,
    async find(uid) {
      const found = await ls(equals('uid', uid))
      return found.find((version) => version.uid === uid)
    },
    async backup(request, onProgress) {
      const { onEvent } = createFindings(onProgress)
      const call: BenjiCall = { command: backupCommand(engine, request), about: request.volume, onEvent }
      const versions = parseVersions(await run(call), whatOf(call))
      const made = versions.find(({ uid }) => uid === request.uid)
      if (made) return made
      throw errors.BENJI_OUTPUT({ what: whatOf(call), problem: `no version ${request.uid}` })
    },
    async restore({ uid, to, sparse, force }, onProgress) {
      const findings = createFindings(onProgress)
      const options = [flagOption('sparse', sparse), flagOption('force', force)]
      await run({ command: { name: 'restore', options, words: [uid, to] }, about: uid, onEvent: findings.onEvent })
      return { problems: findings.problems }
    },
    async rm(uids, { force, overrideLock, keepMetadataBackup } = {}) {
      const options = [
        flagOption('force', force),
        flagOption('override-lock', overrideLock),
        flagOption('keep-metadata-backup', keepMetadataBackup),
      ]
      await runEach(uids, (words) => ({ command: { name: 'rm', options, words }, about: some(words) }))
    },
    async enforce({ rules, filter, dryRun }) {
      let planned: readonly string[] | undefined
      const call: BenjiCall = {
        command: { name: 'enforce', options: [flagOption('dry-run', dryRun)], words: [rules, ...filterWords(filter)] },
        about: rules,
        onEvent: ({ event }) => (planned = readRemovals(event) ?? planned),
      }
      const versions = parseVersions(await run(call), whatOf(call))
      if (dryRun !== true) return { removed: versions.map(({ uid }) => uid) }
      if (planned) return { removed: planned }
      throw errors.BENJI_OUTPUT({ what: whatOf(call), problem: 'no word about what it would remove' })
    },
    protect: (uids) =>
      runEach(uids, (words) => ({ command: { name: 'protect', words }, about: some(words), timeout: quick })),
    unprotect: (uids) =>
      runEach(uids, (words) => ({ command: { name: 'unprotect', words }, about: some(words), timeout: quick })),
    async label(uid, labels) {
      requireLabels(labels)
      const words = Object.entries(labels).map(([name, value]) =>
        value === undefined ? `${name}-` : `${name}=${value}`,
      )
      if (words.length === 0) return
      await run({ command: { name: 'label', words: [uid, ...words] }, about: uid, timeout: quick })
    },
    deepScrub({ uid, source, blockPercentage }, onProgress) {
      const options = [valueOption('source', source), valueOption('block-percentage', blockPercentage)]
      return scrub({ command: { name: 'deep-scrub', options, words: [uid] }, about: uid }, createFindings(onProgress))
    },
    batchScrub: (request, onProgress) =>
      scrub(
        { command: batchScrubCommand(request), about: request.filter },
        createFindings(onProgress, { batch: true }),
      ),
    async cleanup({ overrideLock } = {}) {
      let report: string | undefined
      await run({
        command: { name: 'cleanup', options: [flagOption('override-lock', overrideLock)] },
        onEvent: ({ event }) => (report = readCleanup(event) ?? report),
      })
      return { report }
    },
    async metadataBackup(filter) {
      await run({ command: { name: 'metadata-backup', options: ['--force'], words: [filter] }, about: filter })
    },
    async metadataLs() {
      const call: BenjiCall = { command: { name: 'metadata-ls', options: [valueOption('storage', engine?.storage)] } }
      return new Set(parseUids(await run(call), whatOf(call)))
    },
  }
}

/** For messages. */
function some(uids: readonly string[]): string {
  return uids.length <= 3 ? uids.join(', ') : `${uids[0]} and ${uids.length - 1} more`
}
