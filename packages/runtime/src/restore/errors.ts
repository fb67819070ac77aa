import { defineErrors } from '@holdfast/sdk'
import { formatBytes } from '../format-bytes.ts'

/** Why a restore does not begin, or ends badly. */
export const restoreErrors = defineErrors(
  {
    RESTORE_UNSUPPORTED: {
      message: (p: { plugin: string }) => `"${p.plugin}" does not say how to restore`,
      hint: 'Nothing was touched. Restore its artifacts as files: `holdfast restore --bytes`.',
    },
    RESTORE_OPTIONS: {
      message: (p: { plugin: string; reason: string }) => `"${p.plugin}" can't restore with these options: ${p.reason}`,
      hint: 'Nothing was touched. Options are given as --to key=value; a plain --to PLACE is short for --to path=PLACE.',
    },
    RESTORE_EXISTS: {
      message: (p: { path: string }) => `${p.path} is there already`,
      hint: 'It was not touched. Name another place with --to, or overwrite it with --force.',
    },
    RESTORE_TWICE: {
      message: (p: { path: string; artifact: string; other: string }) =>
        `${p.artifact} and ${p.other} would both become ${p.path}`,
      hint: 'Neither was written over the other. Restore them one by one, each to a file of its own: `holdfast restore ID/NAME --to FILE`.',
    },
    RESTORE_SPACE: {
      message: (p: { path: string; free: number; needed: number }) =>
        `there is not enough room in ${p.path}: ${formatBytes(p.free)} are free, and ${formatBytes(p.needed)} are needed`,
      hint: 'Nothing was touched. Make room, or name a place on another disk with --to. --ignore-space tries it all the same, where the file system compresses what it holds.',
    },
    RESTORE_UNWRITABLE: {
      message: (p: { path: string; reason: string }) => `${p.path} can't be written: ${p.reason}`,
      hint: 'What was there before is untouched. Name another place with --to, or make this one writable and give it enough space.',
    },
    RESTORE_UNREAD: {
      message: (p: { artifact: string; plugin: string }) => `"${p.plugin}" did not read all of ${p.artifact}`,
      hint: 'It says that it is done, so what it needed is restored; the rest was not compared with its SHA-256. `holdfast verify` reads the whole artifact.',
    },
  },
  'docs/errors.md',
)
