// Objects of Kubernetes, as far as this package looks at them.
import type { KubernetesObject } from '@holdfast/sdk'

/** A PersistentVolumeClaim. */
export interface PersistentVolumeClaim extends KubernetesObject {
  readonly spec?: {
    readonly volumeName?: string
    readonly storageClassName?: string
    readonly accessModes?: readonly string[]
    readonly volumeMode?: string
    readonly resources?: { readonly requests?: { readonly storage?: string } }
  }
  readonly status?: { readonly phase?: string; readonly capacity?: { readonly storage?: string } }
}

/** A PersistentVolume. */
export interface PersistentVolume extends KubernetesObject {
  readonly spec?: {
    readonly capacity?: { readonly storage?: string }
    readonly claimRef?: { readonly namespace?: string; readonly name?: string; readonly uid?: string }
    readonly persistentVolumeReclaimPolicy?: string
    readonly rbd?: { readonly pool?: string; readonly image?: string }
    readonly flexVolume?: { readonly driver?: string; readonly options?: Readonly<Record<string, string>> }
    readonly csi?: {
      readonly driver?: string
      readonly volumeHandle?: string
      readonly volumeAttributes?: Readonly<Record<string, string>>
    }
  }
  readonly status?: { readonly phase?: string }
}

/** A StorageClass. */
export interface StorageClass extends KubernetesObject {
  readonly provisioner?: string
  readonly volumeBindingMode?: string
}

/** A Pod. */
export interface Pod extends KubernetesObject {
  readonly spec?: {
    readonly volumes?: readonly {
      readonly name: string
      readonly persistentVolumeClaim?: { readonly claimName?: string }
      readonly ephemeral?: object
    }[]
  }
  readonly status?: { readonly phase?: string }
}
