import { errors } from '../errors.ts'
import { describePlace, type Place } from '../place.ts'
import { runTool, type ToolContext } from './run-tool.ts'

/** From here on MongoDB's tools have versions of their own, and know every server that is still looked after. */
const oldest = 100

/**
 * Asks a tool for its version.
 *
 * @returns as it says it: `100.10.0`
 * @throws HoldfastError `MONGODUMP_MISSING`, `MONGODUMP_VERSION`
 */
export async function requireVersion(
  ctx: ToolContext,
  place: Place,
  program: readonly [string, ...string[]],
): Promise<string> {
  const { stdout } = await runTool(ctx, { place, program, args: ['--version'], timeout: '1m' })
  const version = /version: *(\S+)/.exec(stdout)?.[1] ?? 'unknown'
  const major = Number(/^v?r?(\d+)\./.exec(version)?.[1] ?? Number.NaN)
  if (major >= oldest) return version
  throw errors.MONGODUMP_VERSION({ program: program[0], where: describePlace(place), found: version })
}
