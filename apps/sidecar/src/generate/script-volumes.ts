import { isBinary } from './config-map.ts'
import { checkName } from './names.ts'
import type { HookFiles } from './script-files.ts'

/** A volume of a pod. */
export interface Volume {
  readonly name: string
  readonly [source: string]: unknown
}

/** Where a container sees a volume. */
export interface VolumeMount {
  readonly name: string
  readonly mountPath: string
  readonly readOnly?: boolean
}

/** The mode that a file of a ConfigMap gets. Octal numbers mean different things to YAML 1.1 and 1.2; these don't. */
export const modes = {
  /** 0744 */ ownersScripts: 0o744,
  /** 0755 */ programs: 0o755,
  /** 0644 */ files: 0o644,
} as const

/** Names of the ConfigMap and of the volume. */
export interface ScriptVolumeOptions {
  readonly configMap: string
  readonly volume: string
  readonly hook: HookFiles
  readonly defaultMode: number
}

/**
 * A volume that holds the scripts of one hook. A program, which no interpreter can read for its user, is executable for
 * everybody whatever the mode.
 */
export function scriptVolume({ configMap, volume, hook, defaultMode }: ScriptVolumeOptions): Volume {
  const items = hook.files.map(({ name, bytes }) => ({
    key: name,
    path: name,
    ...(isBinary(bytes) && defaultMode !== modes.programs && { mode: modes.programs }),
  }))
  return { name: checkName('volume', volume), configMap: { name: configMap, defaultMode, items } }
}
