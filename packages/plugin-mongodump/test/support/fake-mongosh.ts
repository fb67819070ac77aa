// As much of mongosh as a script with --nodb --eval needs: Mongo, which connects at once, its databases, EJSON and print. All it
// prints but that is a warning, as the real one gives when it can't write its log.
import { parseArgs } from 'node:util'
import { runInNewContext } from 'node:vm'
import { EJSON } from 'bson'
import { MongoClient, type Db, type Document } from 'mongodb'

const { values } = parseArgs({
  options: {
    nodb: { type: 'boolean' },
    norc: { type: 'boolean' },
    quiet: { type: 'boolean' },
    eval: { type: 'string' },
  },
})
if (!values.nodb) throw new Error('the fake connects only where a script does')

interface Database {
  runCommand(command: Document): Promise<Document>
  getCollectionInfos(): Promise<readonly Document[]>
}

const clients: MongoClient[] = []

function databaseOf(db: Db): Database {
  return {
    runCommand: (command) => db.command(command),
    getCollectionInfos: () => db.listCollections().toArray(),
  }
}

/** `new Mongo(uri)`: a connection, once it is made. */
function Mongo(uri: string): Promise<{ getDB(name: string): Database }> {
  return MongoClient.connect(uri, { serverSelectionTimeoutMS: 2000 }).then((client) => {
    clients.push(client)
    return { getDB: (name) => databaseOf(client.db(name)) }
  })
}

process.stdout.write('Warning: Could not access file: EROFS: read-only file system\n')
const print = (text: string): void => void process.stdout.write(`${text}\n`)
const env = { ...process.env }
await runInNewContext(values.eval ?? '', { Mongo, EJSON, print, process: { env }, JSON, String })
for (const client of clients) await client.close()
