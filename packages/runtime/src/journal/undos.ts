// Undos: armed before the effect happens, and never lost, so their rows are committed with synchronous=FULL (DESIGN §4a).
import type { UndoRecord, UndoState } from './records.ts'
import { toUndo } from './rows.ts'
import type { Statements } from './statements.ts'

/** What arming writes. */
export type ArmedRecord = Pick<
  UndoRecord,
  'id' | 'run' | 'plan' | 'instance' | 'participant' | 'undo' | 'input' | 'process'
>

/** Undos on record. */
export interface Undos {
  /** Durable when it returns. */
  arm(undo: ArmedRecord): void
  /** Enters one that a process with another state directory armed. Durable when it returns. */
  adopt(undo: ArmedRecord & Pick<UndoRecord, 'armedAt'>): void
  /** @returns false when somebody else has it, or it is settled */
  claim(id: string, process: string, from: string | undefined): boolean
  /** @returns false when somebody has run it meanwhile, or is running it */
  disarm(id: string): boolean
  /** Ends one, or puts a failed attempt back to `armed`. Durable when it returns. */
  settle(id: string, state: Exclude<UndoState, 'firing'>, error: string | undefined): void
  find(id: string): UndoRecord | undefined
  /** Armed or firing, newest first. */
  pending(): readonly UndoRecord[]
  /** Of every undo that is on record, settled ones too. */
  ids(): readonly string[]
  of(run: string): readonly UndoRecord[]
}

/** A part of the journal. */
export function openUndos({ query, write, writeDurably, shown, now }: Statements): Undos {
  const enter = (point: string, undo: ArmedRecord, armedAt: Date): void =>
    void writeDurably(
      point,
      `INSERT INTO undos (id, run, plan, instance, participant, undo, input, armed, process, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'armed')`,
      undo.id,
      undo.run,
      undo.plan,
      undo.instance,
      undo.participant,
      undo.undo,
      undo.input,
      armedAt.getTime(),
      undo.process,
    )
  return {
    arm: (undo) => enter('undo-arm', undo, now()),
    adopt: (undo) => enter('undo-adopt', undo, undo.armedAt),
    claim(id, process, from) {
      const { changes } = write(
        'undo-claim',
        `UPDATE undos SET state = 'firing', fired_by = ?, attempts = attempts + 1
         WHERE id = ? AND (state = 'armed' OR (state = 'firing' AND fired_by = ?))`,
        process,
        id,
        from ?? process,
      )
      return changes === 1
    },
    disarm(id) {
      const { changes } = writeDurably(
        'undo-disarmed',
        `UPDATE undos SET state = 'disarmed', settled = ? WHERE id = ? AND state IN ('armed', 'dropped')`,
        now().getTime(),
        id,
      )
      return changes === 1
    },
    settle(id, state, error) {
      writeDurably(
        `undo-${state}`,
        // What somebody has settled meanwhile does not come back: this may be written late (connection.ts).
        `UPDATE undos SET state = ?, error = ?, settled = ? WHERE id = ? ${state === 'armed' ? `AND state IN ('armed', 'firing')` : ''}`,
        state,
        shown(error),
        state === 'armed' ? null : now().getTime(),
        id,
      )
    },
    find: (id) => query('SELECT * FROM undos WHERE id = ?', id).map(toUndo)[0],
    pending: () => query(`SELECT * FROM undos WHERE state IN ('armed', 'firing') ORDER BY seq DESC`).map(toUndo),
    ids: () => query('SELECT id FROM undos').map(({ id }) => String(id)),
    of: (run) => query('SELECT * FROM undos WHERE run = ? ORDER BY seq', run).map(toUndo),
  }
}
