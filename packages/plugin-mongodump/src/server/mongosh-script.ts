/**
 * What asks a server from within its own container, in mongosh. The connection string and the commands come by the
 * environment, for arguments are public; each answer is a line that begins with the mark, in Extended JSON. `--nodb`: mongosh
 * takes connection strings as an argument only.
 */
export const mongoshScript = `\
(async () => {
  const say = (value) => print('holdfast: ' + EJSON.stringify(value))
  const failure = (error) => ({ failure: { code: error.code, message: String(error.message) } })
  try {
    const server = await new Mongo(process.env.HOLDFAST_MONGODB_URI)
    for (const { database, command, collections } of JSON.parse(process.env.HOLDFAST_MONGODB_COMMANDS)) {
      try {
        const db = await server.getDB(database)
        if (collections) say({ reply: { documents: await db.getCollectionInfos() } })
        else say({ reply: await db.runCommand(EJSON.deserialize(command)) })
      } catch (error) {
        say(failure(error))
      }
    }
    say('end')
  } catch (error) {
    say({ connection: failure(error).failure })
  }
})()
`

/** What each answer's line begins with. */
export const mongoshMark = 'holdfast: '
