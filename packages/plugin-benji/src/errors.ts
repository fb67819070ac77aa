import { defineErrors } from '@holdfast/sdk'

/** Every error of this package, by subject. Its hint says what it means for the volume's backups, and what to do. */
export const errors = defineErrors({}, 'docs/errors.md')
