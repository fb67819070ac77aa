// mongodump and mongorestore, on a fake server. What they print, and how they exit, is what 100.10.0 did (see docs/mongodb.md for
// what was seen): one exit code for every failure, the reason in the last words; a success for what isn't there.
import { readFileSync, statSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { HoldfastError } from '@holdfast/sdk'
import type { FakeCall, FakeCommand, FakeReply } from '@holdfast/testing'
import { numbered, readArchive, writeArchive } from './archive.ts'
import type { FakeMongo } from './fake-mongo.ts'

/** How a tool goes wrong. */
export interface ToolFault {
  /** Bytes of its output before that. Default: all of it. */
  readonly bytes?: number
  /** Its last words. */
  readonly says?: string
  /** Default 1. */
  readonly exitCode?: number
  readonly killedBy?: 'SIGKILL'
  /** Changes what comes out. */
  readonly garble?: (archive: Buffer) => Buffer
  /** Documents of a collection that are not in the archive, which is in order otherwise. */
  readonly loses?: Readonly<Record<string, number>>
}

/** The fake tools, and what was asked of them. */
export interface FakeTools {
  readonly mongodump: FakeCommand
  readonly mongorestore: FakeCommand
  /** Arguments of each call, but the configuration. */
  readonly calls: readonly string[]
  /** What they were told in their configurations, and the modes of those files. */
  readonly configs: readonly { readonly text: string; readonly mode: string }[]
  version: string
  dumpFault: ToolFault | undefined
  restoreFault: ToolFault | undefined
  dryRunFault: ToolFault | undefined
  /** The servers that there are, besides the first. */
  readonly servers: FakeMongo[]
  /** Is told when a dump has begun, before its end. */
  duringDump: (() => void | Promise<void>) | undefined
  /** Is told when a restore has read everything, before it ends. */
  duringRestore: (() => void | Promise<void>) | undefined
}

/** Creates {@link FakeTools}. */
export function createFakeTools(mongo: FakeMongo): FakeTools {
  const calls: string[] = []
  const configs: { text: string; mode: string }[] = []
  const begin = ({ command }: FakeCall): readonly string[] => {
    const [program = '', ...args] = command
    const at = args.indexOf('--config')
    const rest = at === -1 ? args : args.toSpliced(at, 2)
    calls.push([program, ...rest].join(' '))
    const file = args[at + 1]
    if (at !== -1 && file !== undefined) {
      configs.push({ text: readFileSync(file, 'utf8'), mode: (statSync(file).mode & 0o777).toString(8) })
    }
    return rest
  }
  /** The one that the configuration of the last call names. */
  const named = (): FakeMongo => tools.servers.find(({ port }) => configs.at(-1)?.text.includes(`:${port}/`)) ?? mongo
  const versionOf = (program: string): FakeReply => ({
    stdout: `${program} version: ${tools.version}\ngit version: 0123456789\nGo version: go1.21.12\n   os: linux\n   arch: amd64\n   compiler: gc\n`,
  })

  const tools: FakeTools = {
    calls,
    configs,
    version: '100.10.0',
    dumpFault: undefined,
    restoreFault: undefined,
    dryRunFault: undefined,
    servers: [],
    duringDump: undefined,
    duringRestore: undefined,
    async mongodump(call) {
      const args = begin(call)
      if (args.includes('--version')) return versionOf('mongodump')
      const { dumpFault: fault } = tools
      const made = dump(named(), args, fault?.loses)
      const garbled = fault?.garble?.(made.archive) ?? made.archive
      const bytes = garbled.subarray(0, fault?.bytes)
      const out = call.request.stdout
      if (typeof out === 'object')
        for (let at = 0; at < bytes.length; at += 1000) await out.write(bytes.subarray(at, at + 1000))
      await tools.duringDump?.()
      return endOf('mongodump', fault, made.lines, made.exitCode)
    },
    async mongorestore(call) {
      const args = begin(call)
      if (args.includes('--version')) return versionOf('mongorestore')
      const chunks: Uint8Array[] = []
      const { stdin = '' } = call.request
      if (typeof stdin !== 'string') for await (const chunk of stdin) chunks.push(chunk)
      const isDry = args.includes('--dryRun')
      const fault = isDry ? tools.dryRunFault : tools.restoreFault
      const restored = restore(named(), args, Buffer.concat(chunks), fault !== undefined)
      if (!isDry) await tools.duringRestore?.()
      return endOf('mongorestore', fault, restored.lines, restored.exitCode)
    },
  }
  return tools
}

function endOf(program: string, fault: ToolFault | undefined, lines: readonly string[], exitCode: number): FakeReply {
  if (fault?.killedBy !== undefined) {
    const message = `${program} was killed by ${fault.killedBy}`
    throw new HoldfastError({ code: 'EXEC_SIGNAL', message, details: { signal: fault.killedBy, stderrTail: '' } })
  }
  const said = fault?.says === undefined ? lines : [...lines, `Failed: ${fault.says}`]
  const code = fault?.exitCode ?? (fault?.says === undefined ? exitCode : 1)
  return { stderr: said.map((line) => `2026-11-25T23:49:59.773+0000\t${line}\n`).join(''), exitCode: code }
}

interface Outcome {
  readonly lines: readonly string[]
  readonly exitCode: number
}

const valuesOf = (args: readonly string[], name: string): readonly string[] =>
  args.filter((arg) => arg.startsWith(`--${name}=`)).map((arg) => arg.slice(name.length + 3))

function dump(
  mongo: FakeMongo,
  args: readonly string[],
  loses: Readonly<Record<string, number>> = {},
): Outcome & { readonly archive: Buffer } {
  const [database] = valuesOf(args, 'db')
  const [collection] = valuesOf(args, 'collection')
  const excluded = valuesOf(args, 'excludeCollection')
  const fail = (reason: string): Outcome & { readonly archive: Buffer } => ({
    archive: Buffer.alloc(0),
    lines: [`Failed: ${reason}`],
    exitCode: 1,
  })
  if (args.includes('--oplog') && mongo.kind !== 'replica-set') {
    return fail('error getting oplog start: error getting recent oplog entry: mongo: no documents in result')
  }
  if (collection !== undefined && !mongo.collections.has(`${database}.${collection}`)) {
    // Nothing at all, and a success.
    const lines = [`namespace with DB ${database} and collection ${collection} does not exist`]
    return { archive: Buffer.alloc(0), lines, exitCode: 0 }
  }
  const wanted = [...mongo.collections].flatMap(([namespace, info]) => {
    const dot = namespace.indexOf('.')
    const [db, name] = [namespace.slice(0, dot), namespace.slice(dot + 1)]
    if (db === 'local' || (database !== undefined && db !== database)) return []
    if (collection === undefined ? excluded.includes(name) || name.startsWith('system.') : name !== collection)
      return []
    const { type = 'collection', documents } = info
    return {
      database: db,
      collection: name,
      type,
      documents: numbered(type === 'view' ? 0 : documents - (loses[namespace] ?? 0)),
    }
  })
  const archive = writeArchive({
    collections: wanted,
    serverVersion: mongo.version,
    ...(args.includes('--oplog') && { oplog: numbered(3) }),
  })
  const lines = wanted.flatMap((each) => {
    const name = `${each.database}.${each.collection}`
    const count = each.documents.length
    return [
      `writing ${name} to archive on stdout`,
      `[########################]  ${name}  ${count}/${count}  (100.0%)`,
      `done dumping ${name} (${count} document${count === 1 ? '' : 's'})`,
    ]
  })
  return { archive: args.includes('--gzip') ? gzipSync(archive) : archive, lines, exitCode: 0 }
}

function restore(mongo: FakeMongo, args: readonly string[], input: Buffer, givesUp: boolean): Outcome {
  const archive = args.includes('--gzip') ? gunzipSync(input) : input
  const summary = (good: number, bad: number): string =>
    `${good} document(s) restored successfully. ${bad} document(s) failed to restore.`
  let namespaces: ReturnType<typeof readArchive>
  try {
    namespaces = readArchive(archive)
  } catch (error) {
    return { lines: [`Failed: ${(error as Error).message}`, summary(0, 0)], exitCode: 1 }
  }
  const lines = ['preparing collections to restore from']
  if (args.includes('--dryRun')) return { lines: [...lines, 'dry run completed', summary(0, 0)], exitCode: 0 }
  const includes = valuesOf(args, 'nsInclude')
  const [from, to] = [valuesOf(args, 'nsFrom'), valuesOf(args, 'nsTo')]
  let [good, bad] = [0, 0]
  for (const [namespace, documents] of namespaces) {
    const [database = ''] = namespace.split('.')
    if (database === '' || (includes.length > 0 && !includes.includes(`${database}.*`))) continue
    const moved = from.indexOf(`${database}.*`)
    const name = moved === -1 ? namespace : `${to[moved]?.slice(0, -2)}${namespace.slice(database.length)}`
    const there = args.includes('--drop') ? 0 : (mongo.collections.get(name)?.documents ?? 0)
    const duplicates = Math.min(there, documents.length)
    const added = givesUp ? Math.floor(documents.length / 2) : documents.length - duplicates
    mongo.collections.set(name, { documents: there + added })
    if (givesUp) break
    for (let n = 0; n < duplicates; n++) {
      lines.push(
        `continuing through error: E11000 duplicate key error collection: ${name} index: _id_ dup key: { _id: ${n} }`,
      )
    }
    lines.push(`finished restoring ${name} (${added} documents, ${duplicates} failures)`)
    good += added
    bad += duplicates
  }
  return { lines: [...lines, summary(good, bad)], exitCode: 0 }
}
