import type { HoldfastError } from '@holdfast/sdk'
import { errors } from '../errors.ts'

/** How a Benji ended that failed. */
export interface BenjiExit {
  /** The command, with what it was about: `backup web/data`. */
  readonly what: string
  readonly exitCode: number
  /** The last that it said. */
  readonly event: string
}

/** Trouble with the database, by what Benji says: they all have the code for what it doesn't expect. */
const database =
  /schema|migrat|database is locked|^(?:Operational|Interface|Database|Disconnection|Programming|Internal)Error: |^sqlalchemy/i
/** What Benji says of a base that something else has locked: it stumbles over giving back a lock that it didn't get. */
const lockedBase = /^InternalError: Lock Version .* isn't held by this instance/
/** Errors in Benji's configuration that end it before its command begins have codes of usage. */
const configuration = /^File .* not found\.$/

/** What Benji's exit code means, together with its last words: the code alone tells little. */
export function benjiFailure({ what, exitCode, event }: BenjiExit): HoldfastError {
  const said = event === '' ? `exit code ${exitCode}` : event
  const make = factoryOf(exitCode, event)
  return make({ what, said }, { details: { exitCode, event } })
}

function factoryOf(exitCode: number, event: string): (typeof errors)['BENJI_FAILED'] {
  if (exitCode > 128 || event.startsWith('KeyboardInterrupt')) return errors.BENJI_STOPPED
  switch (exitCode) {
    case 1:
    case 78:
      return errors.BENJI_CONFIG
    case 2:
    case 64:
      if (configuration.test(event)) return errors.BENJI_CONFIG
      return database.test(event) ? errors.BENJI_DATABASE : errors.BENJI_USAGE
    case 65:
      return errors.BENJI_DATA
    case 66:
      return errors.BENJI_NOT_FOUND
    case 70:
      if (lockedBase.test(event)) return errors.BENJI_LOCKED
      if (/^IntegrityError: .*versions\.uid|duplicate key/.test(event)) return errors.BENJI_EXISTS
      return database.test(event) ? errors.BENJI_DATABASE : errors.BENJI_FAILED
    case 73:
      return errors.BENJI_EXISTS
    case 74:
      return errors.BENJI_IO
    case 77:
      return event.startsWith('AlreadyLocked') ? errors.BENJI_LOCKED : errors.BENJI_REFUSED
    default:
      return errors.BENJI_FAILED
  }
}
