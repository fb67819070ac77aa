export { mongodump } from './mongodump.ts'
export type { MongodumpOptions } from './options.ts'
export type { Where } from './place.ts'
export { errors } from './errors.ts'
