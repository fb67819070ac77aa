/** What it means for backups that a check fails, and what to do: nobody should have to read the suite for that. */
export const storageMeanings: Readonly<Record<string, string>> = {
  'what was put can be read, whatever its chunks':
    'A backup would not come back as it was: store each byte, of chunks of any size, empty ones too.',
  'it is there for others as soon as put resolves':
    'A backup would be called stored and be lost: resolve put only when the store has confirmed it.',
  'a put replaces what was there, and a reader never sees half of it':
    'Half an object could be taken for a whole one: write under another name and rename, or use what the service does at once.',
  'a body that fails leaves nothing, and put rejects with its error':
    'A dump that failed half-way would look like a backup, or nobody would know why: when the body throws, abandon the upload and throw that very error on, not the one of your client.',
  'an abort ends a put at once, also of a body that hangs, and leaves nothing':
    'A run that is told to stop would go on: race body.next() with the signal, since `for await` does not notice it, and throw signal.reason.',
  'an aborted signal ends get, list and delete':
    'A run that is told to stop would go on: call signal.throwIfAborted() first, hand the signal on, and throw signal.reason, not the error of your client.',
  'what is being put is not listed and not found':
    'Half a backup would be listed: an object is there only when put has resolved.',
  'a missing object is STORAGE_NOT_FOUND, at the first read':
    'Holdfast could not tell "there is none" from "the store is down": throw an error whose code is STORAGE_NOT_FOUND (defineErrors).',
  'a range is read from start to before end':
    'Reading a part would give other bytes: `end` is the first byte that is not read, and may be behind the last. HTTP counts its last byte in.',
  'a reader that stops early is no trouble':
    'Looking at the beginning of an object would fail: let go of the connection quietly when the reader stops.',
  'list gives whole keys in code point order, with sizes, below any prefix':
    'Backups would be missing from the catalogue: yield whole keys, sorted by code points; a prefix is characters, and no directory.',
  'list goes on after a thousand keys': 'Old backups would not be seen, and never go: ask for page after page.',
  'keys are kept as they are: case, length, percent signs':
    'Two backups would become one: encode what the store would change, such as % in URLs, and decode it in list.',
  'delete removes one object and no other, at once, and again without error':
    'Retention would remove too much or fail: delete exactly this key, and mind nothing that is not there.',
  'puts side by side do not disturb each other, and of one key one stays whole':
    'Targets are backed up at the same time: keep nothing between calls that two of them would share.',
  'puts and deletes in one directory do not disturb each other':
    'A delete may remove an empty directory in which a put is just about to write: make it again, and go on.',
  'an aborted put stops reading its body':
    'A dump that nobody wants any more would run on: stop reading when the signal aborts.',
  'sweep leaves finished objects alone': 'Backups would be lost: sweep only what was begun and never finished.',
}
