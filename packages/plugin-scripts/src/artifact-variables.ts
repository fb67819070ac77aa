import type { RestorePoint } from '@holdfast/sdk'
import type { ScriptEnvironment } from './environment.ts'

/** What is known of an artifact from its restore point. */
export interface ArtifactPoint {
  readonly id: string
  readonly name: string
  /** Bytes as they were saved. */
  readonly size: number | undefined
  /** Hex digest of those bytes. */
  readonly sha256: string | undefined
}

/** The artifact behind a restore point; `undefined` for what lives outside the store. */
export function artifactOf(point: RestorePoint): ArtifactPoint | undefined {
  const ref = (point.ref ?? {}) as { artifact?: unknown; name?: unknown; sha256?: unknown }
  if (typeof ref.artifact !== 'string') return undefined
  return {
    id: ref.artifact,
    name: typeof ref.name === 'string' ? ref.name : ref.artifact,
    size: point.size,
    sha256: typeof ref.sha256 === 'string' ? ref.sha256 : undefined,
  }
}

/** An artifact for scripts that read it on their standard input. */
export function artifactVariables(artifact: ArtifactPoint): ScriptEnvironment {
  return {
    HOLDFAST_ARTIFACT_ID: artifact.id,
    HOLDFAST_ARTIFACT_NAME: artifact.name,
    HOLDFAST_ARTIFACT_SIZE: artifact.size === undefined ? '' : String(artifact.size),
    HOLDFAST_ARTIFACT_SHA256: artifact.sha256 ?? '',
  }
}
