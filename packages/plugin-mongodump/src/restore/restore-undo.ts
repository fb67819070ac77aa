import { defineUndo } from '@holdfast/sdk'
import * as z from 'zod'
import { namespaceOf } from '../archive/summary.ts'
import { errors } from '../errors.ts'
import { secretRefSchema } from '../options.ts'
import { placeOf, whereSchema } from '../place.ts'
import type { MongoServer } from '../server/mongo-server.ts'
import { openServer } from '../server/open-server.ts'

/** How often is looked whether something is back: a mongorestore whose input ended inserts what it has in its hands. */
const looks = 3

const made = z.strictObject({
  database: z.string(),
  collection: z.string(),
  /** The most that it has by the restore alone; `undefined`: not known. */
  documents: z.int().min(0).optional(),
})

/** A collection that was not there before. */
export type Made = z.output<typeof made>

/**
 * Removes what a restore made that did not come to its end: collections that were not there before. Those that were there are
 * named, and stay as they are. So does what has more documents than the backup, for somebody writes to it. Where the process
 * was killed, all of it stays: this may come hours later, an application may be back and at work in what is half restored, and
 * fewer documents than the backup has don't say whose they are. Half a restore is less bad than data that are lost. References to
 * secrets, never secrets.
 */
export const restoreUndo = defineUndo({
  name: 'mongorestore',
  input: z.strictObject({
    uri: secretRefSchema,
    controlUri: secretRefSchema.optional(),
    where: whereSchema.optional(),
    /** For people. */
    server: z.string(),
    made: z.array(made),
    /** Namespaces that were there before. */
    touched: z.array(z.string()),
  }),
  deadline: '10m',
  async run({ uri, controlUri, where, server: name, made: mine, touched }, ctx) {
    const { log, clock, signal, recovered } = ctx
    if (touched.length > 0) {
      log.warn(`half restored, and not to be used, on ${name}: ${touched.join(', ')}`)
    }
    if (mine.length === 0) return
    if (recovered) {
      log.warn(
        `${mine.map(namespaceOf).join(', ')} on ${name}: half restored, or not at all, for the restore was killed; not removed, for somebody may have written there since. Restore again with --force, which drops them first, or drop them by hand`,
      )
      return
    }
    const { server, unseen } = await openServer(ctx, { uri, controlUri, place: placeOf(where) })
    if (!server) throw errors.MONGODB_UNREACHABLE({ server: name, reason: unseen })
    try {
      const removed = new Set<string>()
      const grown = new Set<string>()
      for (let look = 1; look <= looks; look++) {
        if (look > 1) await clock.sleep('1s', signal)
        let found = 0
        for (const database of new Set(mine.map((each) => each.database))) {
          const there = new Set((await server.collections(database)).map(({ collection }) => collection))
          for (const each of mine.filter((one) => one.database === database && there.has(one.collection))) {
            if (await hasGrown(server, each)) {
              grown.add(namespaceOf(each))
              continue
            }
            await server.drop(each)
            removed.add(namespaceOf(each))
            found++
          }
        }
        if (found === 0) break
      }
      if (removed.size > 0) {
        log.warn(`removed again from ${name}, for the restore did not come to its end: ${[...removed].join(', ')}`)
      }
      if (grown.size > 0) {
        log.warn(
          `${[...grown].join(', ')} on ${name} has more documents than the backup, so somebody writes to it, and it was not removed; the restore did not come to its end: look whether all is there`,
        )
      }
    } finally {
      await server.close()
    }
  },
})

async function hasGrown(server: MongoServer, { database, collection, documents }: Made): Promise<boolean> {
  if (documents === undefined) return false
  const [found = 0] = await server.counts([{ database, collection, exact: true }])
  return found > documents
}
