import type { ExecSession } from '@holdfast/sdk'

/** Sessions that one call of a handler has opened, and that are still there. */
export interface HeldSessions {
  /** @returns the session as the handler gets it */
  hold(name: string, session: ExecSession): ExecSession
  /** The programs of those that nobody has told to end. */
  forgotten(): readonly string[]
  /** Ends all of them. */
  end(): readonly PromiseLike<void>[]
}

/** None is open yet. */
export function createHeldSessions(): HeldSessions {
  const held = new Set<{ readonly name: string; readonly session: ExecSession; isEnding: boolean }>()
  return {
    hold(name, session) {
      const own = { name, session, isEnding: false }
      held.add(own)
      const forget = (): void => void held.delete(own)
      session.result.then(forget, forget)
      const ending = <T>(act: () => T): T => {
        own.isEnding = true
        return act()
      }
      return {
        ...session,
        end: () => ending(() => session.end()),
        [Symbol.asyncDispose]: () => ending(() => session[Symbol.asyncDispose]()),
      }
    },
    forgotten: () => [...held].flatMap(({ name, isEnding }) => (isEnding ? [] : [name])),
    end: () => [...held].map(({ session }) => session[Symbol.asyncDispose]()),
  }
}
