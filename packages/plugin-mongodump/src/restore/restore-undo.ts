import { defineUndo } from '@holdfast/sdk'
import * as z from 'zod'
import { errors } from '../errors.ts'
import { secretRefSchema } from '../options.ts'
import { placeOf, whereSchema } from '../place.ts'
import { openServer } from '../server/open-server.ts'

/** How often is looked whether something is back: a mongorestore whose input ended inserts what it has in its hands. */
const looks = 3

/**
 * Removes what a restore made that did not come to its end: collections that were not there before. Those that were there are
 * named, and stay as they are. References to secrets, never secrets.
 */
export const restoreUndo = defineUndo({
  name: 'mongorestore',
  input: z.strictObject({
    uri: secretRefSchema,
    controlUri: secretRefSchema.optional(),
    where: whereSchema.optional(),
    /** For people. */
    server: z.string(),
    made: z.array(z.strictObject({ database: z.string(), collection: z.string() })),
    /** Namespaces that were there before. */
    touched: z.array(z.string()),
  }),
  deadline: '10m',
  async run({ uri, controlUri, where, server: name, made, touched }, ctx) {
    const { log, clock, signal, recovered } = ctx
    if (touched.length > 0) {
      log.warn(`half restored, and not to be used, on ${name}: ${touched.join(', ')}`, { recovered })
    }
    if (made.length === 0) return
    const { server, unseen } = await openServer(ctx, { uri, controlUri, place: placeOf(where) })
    if (!server) throw errors.MONGODB_UNREACHABLE({ server: name, reason: unseen })
    try {
      const removed = new Set<string>()
      for (let look = 1; look <= looks; look++) {
        if (look > 1) await clock.sleep('1s', signal)
        let found = 0
        for (const database of new Set(made.map((each) => each.database))) {
          const there = new Set((await server.collections(database)).map(({ collection }) => collection))
          for (const each of made.filter((one) => one.database === database && there.has(one.collection))) {
            await server.drop(each)
            removed.add(`${each.database}.${each.collection}`)
            found++
          }
        }
        if (found === 0) break
      }
      if (removed.size > 0) {
        log.warn(`removed again from ${name}, for the restore did not come to its end: ${[...removed].join(', ')}`)
      }
    } finally {
      await server.close()
    }
  },
})
