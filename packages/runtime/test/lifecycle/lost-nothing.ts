// What must hold whatever has gone wrong: what is listed can be restored, and what was good before is still there.
import { createHash } from 'node:crypto'
import type { TestRun } from '@holdfast/testing'
import type { Outcome } from '@holdfast/sdk'
import { expect } from 'vitest'
import type { StoredArtifact } from '@holdfast/runtime'

const { signal } = new AbortController()

/** Everything that is listed. */
export async function listed(run: TestRun): Promise<readonly StoredArtifact[]> {
  const found: StoredArtifact[] = []
  for await (const artifact of run.engine.store().list()) found.push(artifact)
  return found
}

/** Reads an artifact back. @returns whether every byte is the one that was stored */
export async function isReadable(run: TestRun, { id, sha256 }: StoredArtifact): Promise<boolean> {
  const digest = createHash('sha256')
  try {
    for await (const chunk of run.engine.store().open(id, { signal })) digest.update(chunk)
    return digest.digest('hex') === sha256
  } catch {
    return false
  }
}

/**
 * Nothing is committed that can't be restored, nothing good is gone, and the outcome says in one line what went wrong.
 *
 * @param good - what was there before
 * @param says - the code of the error of the run, or of its target
 */
export async function expectNothingLost(
  run: TestRun,
  good: readonly StoredArtifact[],
  outcome: Outcome,
  says: string,
): Promise<void> {
  const now = await listed(run)
  for (const artifact of now) expect(await isReadable(run, artifact), artifact.id).toBe(true)
  expect(now.map(({ id }) => id)).toEqual(expect.arrayContaining(good.map(({ id }) => id)))
  expect(outcome.status).not.toBe('succeeded')
  expect(outcome.error).toMatchObject({ code: says, hint: expect.stringMatching(/\w/) })
  expect(outcome.error?.message).not.toContain('\n')
}
