// What Benji says in its log alone: its exit code and its results don't tell.

/** Progress: `Backing up 3/4 blocks (75.0%)`. */
export function readProgress(
  event: string,
): { readonly task: string; readonly done: number; readonly total: number } | undefined {
  const [, task, done, total] = /^(.+?) (\d+)\/(\d+) blocks \(/.exec(event) ?? []
  return task === undefined ? undefined : { task, done: Number(done), total: Number(total) }
}

/** What `enforce` removes, or with `--dry-run` would: its result says nothing of that (C3). */
export function readRemovals(event: string): readonly string[] | undefined {
  if (event === 'All versions are conforming to the retention policy.') return []
  const [, uids] = /^Removing versions: (.*)\.$/.exec(event) ?? []
  return uids?.split(', ')
}

/** The version that a batch of scrubs passed over because something else has it locked. */
export function readSkipped(event: string): string | undefined {
  return /^Skipping version (.+), it is locked\.\s*$/.exec(event)?.[1]
}

/** The version that a batch of scrubs counts as an error because its backup isn't through, or never came to its end. */
export function readIncomplete(event: string): string | undefined {
  return /Version (.+) cannot be (?:deep-)?scrubbed, it has a status of incomplete\.$/.exec(event)?.[1]
}

/** What `cleanup` did. */
export function readCleanup(event: string): string | undefined {
  return event.startsWith('Cleanup finished: ') ? event : undefined
}

/**
 * Whether an error that Benji logged is about the data that it compared or wrote, where its exit code doesn't say so (C1,
 * C2). Every error counts, known or not, but what it says of its own locks: better one too many.
 */
export function isProblem({ level, event }: { readonly level: string; readonly event: string }): boolean {
  return level === 'error' && !/^Lock .* not released correctly/.test(event)
}
