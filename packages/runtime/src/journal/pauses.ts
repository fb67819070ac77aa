// Plans that somebody paused by hand. A pause lasts until it is taken back, whatever becomes of the process that was told of
// it: whoever paused a plan must not find it running because a pod was moved.
import type { Statements, Value } from './statements.ts'

/** What the daemon that scheduled before said of its pauses. */
export interface FormerPauses {
  /** The plans that were paused, and since when. */
  readonly paused: ReadonlyMap<string, Date>
  /** What was decided here since then is newer. */
  readonly until: Date
}

/** The plans that are paused by hand. */
export interface Pauses {
  /** They, and since when; one that was paused twice, since the first time. */
  all(): ReadonlyMap<string, Date>
  /** Durable when it returns. */
  set(plan: string, isPaused: boolean): void
  /** Takes over what another daemon, with a state directory of its own, was told. */
  inherit(former: FormerPauses): void
  /** Forgets all but these plans: one that comes back under an old name is another one. */
  keepOnly(plans: readonly string[]): void
}

/** Of a plan that was resumed it is written since when: only so can it be told from one that nobody ever paused. */
export function openPauses({ query, writeDurably, now }: Pick<Statements, 'query' | 'writeDurably' | 'now'>): Pauses {
  const write = (sql: string, ...values: Value[]): void => void writeDurably('pause', sql, ...values)
  const decided = (plan: string, isPaused: boolean, at: Date): void =>
    write(
      `INSERT INTO pauses VALUES (?, ?, ?)
         ON CONFLICT (plan) DO UPDATE SET paused = excluded.paused, at = excluded.at WHERE paused <> excluded.paused`,
      plan,
      isPaused ? 1 : 0,
      at.getTime(),
    )
  const known = (): readonly { readonly plan: string; readonly isPaused: boolean; readonly at: Date }[] =>
    query('SELECT plan, paused, at FROM pauses').map(({ plan, paused, at }) => ({
      plan: String(plan),
      isPaused: paused === 1,
      at: new Date(Number(at)),
    }))
  return {
    all: () => new Map(known().flatMap(({ plan, isPaused, at }) => (isPaused ? [[plan, at] as const] : []))),
    set: (plan, isPaused) => decided(plan, isPaused, now()),
    inherit({ paused, until }) {
      const ours = new Map(known().map((each) => [each.plan, each]))
      for (const [plan, at] of paused) {
        const own = ours.get(plan)
        if (!own || own.at <= until) decided(plan, true, at)
      }
      for (const { plan, isPaused, at } of ours.values()) {
        if (isPaused && at <= until && !paused.has(plan)) decided(plan, false, until)
      }
    },
    keepOnly(plans) {
      const kept = new Set(plans)
      if (known().every(({ plan }) => kept.has(plan))) return
      write('DELETE FROM pauses WHERE plan NOT IN (SELECT value FROM json_each(?))', JSON.stringify(plans))
    },
  }
}
