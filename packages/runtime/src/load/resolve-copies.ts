import type { HoldfastError, StorageDriver } from '@holdfast/sdk'
import { isSameStore } from '../artifacts/same-store.ts'
import { errors } from '../errors.ts'
import type { ResolveContext } from './context.ts'
import type { Path } from './problems.ts'
import { checkDriver, openStore } from './resolve-storage.ts'
import type { ResolvedConfig, ResolvedCopy } from './resolved.ts'

/** Copies for configurations that name none: addresses, and the variable that they are in. */
export interface DefaultCopies {
  readonly addresses: readonly string[]
  readonly variable: string
}

/**
 * The copies that every plan has which names none itself.
 *
 * @param written - as in the configuration
 * @param storage - the store itself
 */
export async function resolveDefaultCopies(
  written: unknown,
  storage: StorageDriver | undefined,
  context: ResolveContext,
): Promise<readonly ResolvedCopy[]> {
  const { defaultCopies: other } = context
  if (written !== undefined || !other) return resolveCopies(written, ['copies'], storage, context)
  // Addresses, whatever the configuration is written in.
  const asYaml: ResolveContext = { ...context, draft: { ...context.draft, form: 'yaml' } }
  return resolveCopies(other.addresses, [other.variable], storage, asYaml)
}

/**
 * Opens the copies that are written somewhere.
 *
 * @param path - where they are written
 * @returns those that can be used; the others are among the problems
 */
export async function resolveCopies(
  written: unknown,
  path: Path,
  storage: StorageDriver | undefined,
  context: ResolveContext,
): Promise<readonly ResolvedCopy[]> {
  const { draft, problems } = context
  if (!Array.isArray(written)) return []
  const drivers: StorageDriver[] = []
  for (const [index, address] of (written as readonly unknown[]).entries()) {
    const what = `copy ${index + 1}`
    const opened = draft.form === 'yaml' ? await openStore(address, context) : checkDriver(address, what)
    if ('error' in opened) problems.add(opened.error, { path: [...path, index], position: opened.position })
    else {
      const same = sameStore(opened, storage, drivers)
      if (same) problems.add(same, { path: [...path, index] })
      drivers.push(opened)
    }
  }
  return nameCopies(drivers)
}

/** What is wrong where a copy is the store itself, which the command line or the environment may have named later. */
export function findCopyOfStore({
  storage,
  plans,
}: Pick<ResolvedConfig, 'storage' | 'plans'>): HoldfastError | undefined {
  const drivers = plans.flatMap(({ copies }) => copies.map(({ driver }) => driver))
  return drivers.map((driver) => sameStore(driver, storage, [])).find((error) => error !== undefined)
}

function sameStore(
  driver: StorageDriver,
  storage: StorageDriver | undefined,
  others: readonly StorageDriver[],
): HoldfastError | undefined {
  const copy = nameOf(driver)
  if (storage && isSameStore(storage, driver)) return errors.COPY_SAME_STORE({ copy, other: 'the store itself' })
  return others.some((other) => isSameStore(other, driver))
    ? errors.COPY_SAME_STORE({ copy, other: 'another copy' })
    : undefined
}

// Those of the same name are counted.
function nameCopies(drivers: readonly StorageDriver[]): readonly ResolvedCopy[] {
  const used = new Map<string, number>()
  return drivers.map((driver) => {
    const name = nameOf(driver)
    const count = (used.get(name) ?? 0) + 1
    used.set(name, count)
    return { name: count === 1 ? name : `${name} (${count})`, driver }
  })
}

function nameOf({ address, localDirectory, name }: StorageDriver): string {
  return address ?? localDirectory ?? name
}
