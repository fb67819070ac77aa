import { unprotect } from '../undo/unprotect.ts'
import { restoreUndo } from './restore-undo.ts'

/** What a restore arms. */
export const restoreUndos = [restoreUndo, unprotect] as const
