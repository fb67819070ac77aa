import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { parse } from 'yaml'
import * as z from 'zod'
import type { BenjiEngine } from '../engine.ts'
import { errors } from '../errors.ts'

/** What we need to know of Benji's own configuration. */
export interface BenjiConfig {
  readonly path: string
  readonly defaultStorage: string
  /** Bytes of a block of new versions. */
  readonly blockSize: number
  /** Names. */
  readonly storages: readonly string[]
  readonly ios: readonly { readonly name: string; readonly module: string }[]
}

// Benji itself checks the rest, and its own options are its own business.
const schema = z.object({
  configurationVersion: z.union([z.literal('1'), z.literal(1)], { error: 'must be 1' }),
  defaultStorage: z.string().min(1),
  blockSize: z.int().min(512).max(33_554_432).default(4_194_304),
  storages: z.array(z.object({ name: z.string().min(1) })).min(1),
  ios: z.array(z.object({ name: z.string().min(1), module: z.string().min(1) })).min(1),
})

/** Where Benji looks for its configuration: the first that is there counts. */
export function configSearch(engine: BenjiEngine | undefined): readonly string[] {
  if (engine?.configFile !== undefined) return [engine.configFile]
  const home = engine?.env?.['HOME'] ?? process.env['HOME'] ?? homedir()
  return ['/etc/benji.yaml', '/etc/benji/benji.yaml', `${home}/.benji.yaml`, `${home}/benji.yaml`]
}

/**
 * Reads Benji's configuration file.
 *
 * @param search - where it may be, in this order
 * @throws HoldfastError `BENJI_CONFIG`
 */
export async function readBenjiConfig(
  engine: BenjiEngine | undefined,
  search: readonly string[] = configSearch(engine),
): Promise<BenjiConfig> {
  const { path, text } = await readFirst(search)
  const { defaultStorage, blockSize, storages, ios } = check(path, text)
  const names = storages.map(({ name }) => name)
  if (!names.includes(defaultStorage))
    throw invalid(path, `its defaultStorage "${defaultStorage}" is not among its storages`)
  return { path, defaultStorage, blockSize, storages: names, ios }
}

async function readFirst(search: readonly string[]): Promise<{ readonly path: string; readonly text: string }> {
  for (const path of search) {
    try {
      return { path, text: await readFile(path, 'utf8') }
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw invalid(path, `it can't be read: ${code ?? message}`, cause)
    }
  }
  const said = search.length === 1 ? `there is no ${search[0]}` : `there is none of ${search.join(', ')}`
  throw errors.BENJI_CONFIG({ what: "Benji's configuration", said })
}

function check(path: string, text: string): z.output<typeof schema> {
  let value: unknown
  try {
    value = parse(text)
  } catch (cause) {
    throw invalid(path, cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : String(cause), cause)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw invalid(
    path,
    issue === undefined ? 'it is not understood' : `${issue.path.join('.') || 'the file'}: ${issue.message}`,
    parsed.error,
  )
}

function invalid(path: string, said: string, cause?: unknown): Error {
  return errors.BENJI_CONFIG({ what: path, said }, { cause })
}
