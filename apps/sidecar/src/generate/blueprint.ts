import type { Permission } from '@holdfast/sdk'
import type { ResolvedDrill, ResolvedPlan } from '@holdfast/runtime'
import type { ConfigMapFile } from './config-map.ts'
import type { Volume, VolumeMount } from './script-volumes.ts'

/** Something in a list, and why it is there. */
export interface Part<Value> {
  readonly value: Value
  readonly comment?: string | undefined
}

/** A variable of a container. */
export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: object
}

/** A part of a pod: what comes from ConfigMaps, some volumes, where they are mounted, variables. */
export interface PodParts {
  readonly configMaps?: readonly ConfigMapSource[]
  readonly volumes?: readonly Part<Volume>[]
  readonly mounts?: readonly VolumeMount[]
  readonly env?: readonly Part<EnvVar>[]
}

/** A ConfigMap to be. */
export interface ConfigMapSource {
  readonly name: string
  readonly files: readonly ConfigMapFile[]
}

/** Everything that manifests are made from, whatever their form. */
export interface Blueprint {
  /** A label: of the container, and the beginning of every other name. */
  readonly name: string
  /** `undefined`: whichever it is applied to. */
  readonly namespace: string | undefined
  readonly image: string
  /** Whom the pod acts as; an account that was there before is not made. */
  readonly account: { readonly name: string; readonly isMade: boolean }
  readonly permissions: readonly Permission[]
  /** The Lease of `replicas: leader`. */
  readonly lease: string | undefined
  readonly configMaps: readonly ConfigMapSource[]
  readonly volumes: readonly Part<Volume>[]
  readonly mounts: readonly VolumeMount[]
  readonly env: readonly Part<EnvVar>[]
  /** What the configuration's relative paths are relative to; `undefined`: the image's. */
  readonly workingDirectory: string | undefined
  /** Of `holdfast daemon` and `holdfast run`. */
  readonly options: readonly string[]
  /** `terminationGracePeriodSeconds`. */
  readonly graceSeconds: number
  /** For scripts that install what they need. */
  readonly asRoot: boolean
  /** Where it came from, for messages. */
  readonly source: string
  readonly plans: readonly ResolvedPlan[]
  readonly drills: readonly ResolvedDrill[]
  /** Of `/metrics`; 0: nowhere. */
  readonly port: number
}
