// Benji takes a second of processor time to start, whatever it is asked. So a run with many volumes asks once for all of
// them what it would ask for each. What was asked once may be out of date, and is only trusted for what it can't be
// wrong about: whoever misses something in it asks for the one volume again.
import type { RunContext } from '@holdfast/sdk'
import { instanceOf, type BenjiEngine } from '../engine.ts'
import { labelNames, ownLabelNames, planLabel } from '../labels.ts'
import type { RbdSnapshot } from '../rbd/rbd.ts'
import { isSnapshotName, snapshotName } from '../rbd/snapshot-name.ts'
import type { Benji } from './benji.ts'
import { and, equals, equalsLabel, sinceSnapshot } from './filter.ts'
import type { BenjiVersion } from './version.ts'

/** How long a list of all volumes is good enough; a backup between asking and doing takes longer. */
const freshForMs = 60_000
/** Where there are more versions, listing all of them takes longer than to start Benji for each volume that needs it. */
const mostVersions = 5000

type Context = Pick<RunContext<{ readonly engine?: BenjiEngine | undefined }>, 'config' | 'run' | 'clock'>
type Lister = Pick<Benji, 'ls' | 'find'>
type Versions = readonly BenjiVersion[]

/** A list of all volumes, by what it is for. */
interface Listing {
  readonly at: number
  readonly byVolume: Promise<ReadonlyMap<string, Versions>>
}

/** What a plugin of a run has asked. */
interface Asked {
  /** How many versions the first volume had: the others will have about as many. */
  first?: Promise<number>
  readonly listings: Map<'chain' | 'made' | 'points', Listing>
}

const volumesOf = new WeakMap<object, number>()
const askedOf = new WeakMap<object, WeakMap<object, Asked>>()

/** Counts the volumes that a plugin with this configuration finds: with one alone there is nothing to share. */
export async function* countVolumes<T>(config: object, volumes: AsyncIterable<T>): AsyncGenerator<T> {
  let count = 0
  for await (const volume of volumes) {
    count++
    yield volume
  }
  volumesOf.set(config, count)
}

/**
 * The versions of our instance that a volume's chain goes on from: those of all its snapshots that are a backup's, and
 * perhaps more. None where it has no such snapshot.
 *
 * @throws HoldfastError `BENJI_…`
 */
export async function versionsForChain(
  ctx: Context,
  benji: Lister,
  volume: string,
  snapshots: readonly RbdSnapshot[],
): Promise<Versions> {
  const named = snapshots.filter(({ name }) => isSnapshotName(name))
  if (named.length === 0) return []
  const { versions, isShared } = await ask(ctx, benji, volume, 'chain')
  // A backup of another plan may have come between.
  const isComplete = named.every(({ name }) => versions.some(({ snapshot }) => snapshot === name))
  return isShared && !isComplete ? askFor(ctx, benji, volume) : versions
}

/**
 * All versions of our instance of a volume, as of a minute ago at most.
 *
 * @throws HoldfastError `BENJI_…`
 */
export async function versionsForRetention(ctx: Context, benji: Lister, volume: string): Promise<Versions> {
  const { versions } = await ask(ctx, benji, volume, 'points')
  return versions
}

/**
 * A version that this run has made, as it is now that all its backups are through.
 *
 * @throws HoldfastError `BENJI_…`
 */
export async function versionMade(
  ctx: Context,
  benji: Lister,
  { uid, volume }: { readonly uid: string; readonly volume: string },
): Promise<BenjiVersion | undefined> {
  const { run, config } = ctx
  const isShared = (volumesOf.get(config) ?? 1) > 1
  // Snapshots bear the time at which they were made, and no backup of this run is older than it. A clock that was set
  // back breaks that; then it isn't in the list.
  const since = and(
    ours(ctx),
    equalsLabel(ownLabelNames.plan, planLabel(run.plan)),
    sinceSnapshot(snapshotName(run.scheduledFor)),
  )
  const made = isShared ? await shared(ctx, 'made', () => benji.ls(since)) : undefined
  return made?.get(volume)?.find((version) => version.uid === uid) ?? benji.find(uid)
}

/** From the list of all volumes, unless there are too few volumes or too many versions for one, or it can't be had. */
async function ask(
  ctx: Context,
  benji: Lister,
  volume: string,
  purpose: 'chain' | 'points',
): Promise<{ readonly versions: Versions; readonly isShared: boolean }> {
  const own = async (): Promise<Versions> => askFor(ctx, benji, volume)
  const volumes = volumesOf.get(ctx.config) ?? 1
  if (volumes < 2) return { versions: await own(), isShared: false }
  const asked = askedBy(ctx)
  if (!asked.first) {
    const answer = own()
    asked.first = answer.then(({ length }) => length)
    // Whoever waits for it takes care of that; and the next one is the first then.
    asked.first.catch(() => delete asked.first)
    return { versions: await answer, isShared: false }
  }
  const each = await asked.first.catch(() => Number.POSITIVE_INFINITY)
  const all = each * volumes > mostVersions ? undefined : await shared(ctx, purpose, () => benji.ls(ours(ctx)))
  return all ? { versions: all.get(volume) ?? [], isShared: true } : { versions: await own(), isShared: false }
}

async function askFor(ctx: Context, benji: Lister, volume: string): Promise<Versions> {
  return benji.ls(and(ours(ctx), equals('volume', volume)))
}

async function shared(
  ctx: Context,
  purpose: 'chain' | 'made' | 'points',
  list: () => Promise<Versions>,
): Promise<ReadonlyMap<string, Versions> | undefined> {
  const { listings } = askedBy(ctx)
  const now = ctx.clock.now().getTime()
  let listing = listings.get(purpose)
  const age = listing === undefined ? 0 : Math.abs(now - listing.at)
  if (!listing || (purpose !== 'made' && age > freshForMs)) {
    const byVolume = list().then((versions) => Map.groupBy(versions, ({ volume }) => volume))
    listing = { at: now, byVolume }
    listings.set(purpose, listing)
  }
  const { byVolume } = listing
  try {
    return await byVolume
  } catch {
    // It may have been stopped with the volume that asked. The next one begins again; this one asks for itself.
    if (listings.get(purpose)?.byVolume === byVolume) listings.delete(purpose)
    return undefined
  }
}

function ours({ config }: Context): string {
  return equalsLabel(labelNames.instance, instanceOf(config.engine))
}

function askedBy({ run, config }: Context): Asked {
  const ofRun = askedOf.get(run) ?? new WeakMap<object, Asked>()
  askedOf.set(run, ofRun)
  const asked = ofRun.get(config) ?? { listings: new Map() }
  ofRun.set(config, asked)
  return asked
}
