import { defineErrors } from '@holdfast/sdk'

/** Every error of this package, by subject. Its hint says whether there is a backup, and what to do. */
export const errors = defineErrors(
  {
    // ---- the server
    MONGODB_URI: {
      message: (p: { problem: string }) => `the connection string of MongoDB can't be used: ${p.problem}`,
      hint: 'Nothing was dumped, restored or changed. Write it as mongodb://user:password@host:27017/, with special characters of user and password percent-encoded, into the variable or file that the configuration names.',
    },
    MONGODB_UNREACHABLE: {
      message: (p: { server: string; reason: string }) => `MongoDB at ${p.server} can't be reached: ${p.reason}`,
      hint: 'There is no new backup, and nothing was restored or changed; earlier backups are untouched. See whether the server runs, whether its address leads there from where Holdfast runs, and whether `tls` is right. Where the dump runs in the container of the database, `controlUri` says how Holdfast itself reaches the server.',
      retryable: true,
    },
    MONGODB_AUTH: {
      message: (p: { server: string; reason: string }) => `MongoDB at ${p.server} does not let us in: ${p.reason}`,
      hint: 'There is no new backup, and nothing was restored or changed; earlier backups are untouched. Check user and password, and where the user is kept: the database after the slash, or authSource (mostly admin).',
    },
    MONGODB_FORBIDDEN: {
      message: (p: { server: string; what: string; reason: string }) =>
        `MongoDB at ${p.server} does not allow to ${p.what}: ${p.reason}`,
      hint: 'There is no new backup, and nothing was restored; earlier backups are untouched. Backups need the role `backup`, restores `restore`, fsyncLock also `hostManager`, each on the database admin.',
    },
    MONGODB_COMMAND: {
      message: (p: { server: string; what: string; reason: string }) =>
        `MongoDB at ${p.server} could not ${p.what}: ${p.reason}`,
      hint: 'There is no new backup, and nothing was restored; earlier backups are untouched. The message is the server’s own.',
      retryable: true,
    },
    // ---- the programs
    MONGODUMP_MISSING: {
      message: (p: { program: string; where: string; reason: string }) =>
        `${p.program} can't be started ${p.where}: ${p.reason}`,
      hint: 'There is no new backup, and nothing was restored; earlier backups are untouched. Install the MongoDB Database Tools (100 or newer) there, or run them where they are: `where: { container: … }`; images of MongoDB have them.',
    },
    MONGODUMP_VERSION: {
      message: (p: { program: string; where: string; found: string }) =>
        `${p.program} ${p.where} is of version ${p.found}; needed is 100 or newer`,
      hint: 'There is no new backup, and nothing was restored; earlier backups are untouched. Versions below 100 came with a server of the same number and know newer ones only in part. Install the MongoDB Database Tools 100.',
    },
    // ---- dumps
    MONGODUMP_NO_OPLOG: {
      message: (p: { reason: string }) => `the oplog can't be dumped along: ${p.reason}`,
      hint: 'There is no new backup; earlier ones are untouched. With `oplog: auto` (the default) it is dumped where it can be, and the manifest says whether the dump is of one moment. Without a replica set, `quiesce: fsyncLock` makes it so.',
    },
    MONGODUMP_NAMESPACE: {
      message: (p: { missing: string }) => `there is no ${p.missing} on the server`,
      hint: 'There is no new backup; earlier ones are untouched. mongodump itself would have succeeded with nothing in its hands. Correct `database` or `collections`, or let the user that dumps read it.',
    },
    MONGODUMP_EMPTY: {
      message: (p: { what: string }) => `the dump of ${p.what} holds no collection at all`,
      hint: 'It was not kept; earlier backups are untouched. mongodump calls it a success when a database is not there, or when its user sees nothing. If there is nothing to back up yet, say allowEmpty: true.',
    },
    MONGODUMP_LISTING: {
      message: (p: { reason: string }) => `which other collections there are can't be known: ${p.reason}`,
      hint: 'There is no new backup; earlier ones are untouched. mongodump takes one collection, or all but some, so several need a list from the server: set `controlUri`, or say `excludeCollections` instead.',
    },
    MONGODUMP_ARCHIVE: {
      message: (p: { problem: string }) => `the archive is not whole: it ${p.problem}`,
      hint: 'It counts for nothing: a new backup like that is not kept, and an old one is not restored. Earlier backups are untouched. If mongodump itself ended well, something between it and the store cut or changed the bytes; try again, and `holdfast verify` what is stored.',
      retryable: true,
    },
    MONGODUMP_SERVER_LOST: {
      message: (p: { documents: number; reason: string }) =>
        `the server went away in the middle of the dump, after ${p.documents} documents: ${p.reason}`,
      hint: 'Nothing of it was kept, although its archive may look whole: mongodump ends a collection properly even when it has half of it. Earlier backups are untouched. See why the server or the connection ended, and run again.',
      retryable: true,
    },
    MONGODUMP_OPLOG_BROKEN: {
      message: (p: { reason: string }) => `the oplog could not be dumped along: ${p.reason}`,
      hint: 'Nothing was kept; earlier backups are untouched. Renamed collections, a change of the authentication schema and resharding break a dump with oplog: try again at a quieter time. If the oplog was overrun, the dump takes longer than the oplog is long: enlarge it. If it may not be read, grant the role `backup`, or say oplog: false.',
      retryable: true,
    },
    MONGODUMP_FAILED: {
      message: (p: { reason: string }) => `mongodump failed: ${p.reason}`,
      hint: 'Nothing was kept; earlier backups are untouched. The message is its own; its other lines are in the log of this run.',
      retryable: true,
    },
    MONGODUMP_STOPPED: {
      message: (p: { reason: string }) => `mongodump was stopped: ${p.reason}`,
      hint: 'Nothing was kept; earlier backups are untouched. If it was killed, for want of memory perhaps, `numParallelCollections: 1` takes less.',
      retryable: true,
    },
    MONGODUMP_COUNTS: {
      message: (p: { count: number; list: string }) =>
        `the dump is not what the server had, in ${p.count} ${p.count === 1 ? 'collection' : 'collections'}: ${p.list}`,
      hint: 'The dump is kept, but counts as unverified: nothing older is pruned. If the collection is one where documents come and go all the time, such as a queue, allow for it with `countTolerance`, or dump at one moment: `oplog`, `quiesce: fsyncLock`.',
      retryable: true,
    },
    MONGODUMP_DRY_RUN: {
      message: (p: { reason: string }) => `mongorestore does not take what was stored: ${p.reason}`,
      hint: 'The dump is kept, but counts as unverified: nothing older is pruned. Try it by hand: holdfast restore --dry-run.',
      retryable: true,
    },
    // ---- fsyncLock
    MONGODB_LOCK_MEMBER: {
      message: (p: { server: string; reason: string }) => `fsyncLock can't be used with ${p.server}: ${p.reason}`,
      hint: 'Nothing was locked, and there is no new backup. fsyncLock stops the writes of one server. Name that server alone, best a secondary: mongodb://host:27017/?directConnection=true, without replicaSet.',
    },
    MONGODB_LOCKED: {
      message: (p: { server: string }) => `MongoDB at ${p.server} is locked by fsyncLock already`,
      hint: 'There is no new backup. The lock is not ours, so it was not touched: another backup is at work, or somebody has forgotten it. db.fsyncUnlock() in mongosh gives it back.',
      retryable: true,
    },
    MONGODB_LOCK_FAILED: {
      message: (p: { server: string; reason: string }) => `MongoDB at ${p.server} was not locked: ${p.reason}`,
      hint: 'There is no new backup; earlier ones are untouched. Whatever was taken is given back, or pending: see `holdfast undo list`.',
      retryable: true,
    },
    MONGODB_UNLOCK_FAILED: {
      message: (p: { server: string; reason: string }) => `MongoDB at ${p.server} could not be unlocked: ${p.reason}`,
      hint: 'Whatever writes to it hangs. It is tried again, and by `holdfast undo run`; by hand: db.fsyncUnlock() in mongosh, on that very server. A restart of the server gives the lock back too.',
      retryable: true,
    },
    // ---- restores
    MONGORESTORE_SELECTION: {
      message: (p: { reason: string }) => `nothing can be restored that way: ${p.reason}`,
      hint: 'Nothing was touched. `holdfast restore --dry-run` says what is in the backup; nsInclude, nsExclude, nsFrom, nsTo and database choose and rename.',
    },
    MONGORESTORE_NOT_EMPTY: {
      message: (p: { server: string; list: string }) => `${p.server} has documents already: ${p.list}`,
      hint: 'Nothing was touched. Restore under other names (--to database=NAME, or nsFrom and nsTo) or to another server (--to uri-env=NAME). --force drops these collections first.',
    },
    MONGORESTORE_UNSEEN: {
      message: (p: { server: string; reason: string }) =>
        `whether ${p.server} holds something that would be overwritten can't be seen: ${p.reason}`,
      hint: 'Nothing was touched. Let Holdfast reach it (--to control-uri-env=NAME), or say --force: then what is there under the same names is dropped.',
    },
    MONGORESTORE_FAILED: {
      message: (p: { reason: string; left: string }) => `mongorestore failed: ${p.reason}`,
      hint: (p) =>
        `Do not use what is there: ${p.left}. Mend what is said above and restore again; the backup is untouched.`,
      retryable: true,
    },
    MONGORESTORE_DOCUMENTS: {
      message: (p: { failed: number; restored: number; examples: string; left: string }) =>
        `mongorestore could not restore ${p.failed} documents (${p.restored} it could): ${p.examples}`,
      hint: (p) =>
        `mongorestore itself calls this a success. Do not use what is there: ${p.left}. Duplicate keys mean that something was there already, or that somebody else writes to it.`,
    },
    MONGORESTORE_COUNTS: {
      message: (p: { list: string; left: string }) => `what is there now is not what the backup holds: ${p.list}`,
      hint: (p) => `Do not rely on it: ${p.left}. Somebody else may write to it; restore again, to another place.`,
    },
  },
  'docs/errors.md',
)
