/** How far a version got. */
export type BenjiVersionStatus = 'incomplete' | 'valid' | 'invalid'

/** One stored backup of a volume, as Benji prints it. */
export interface BenjiVersion {
  readonly uid: string
  /** When its backup began. */
  readonly date: Date
  readonly volume: string
  /** `''` where none was named. */
  readonly snapshot: string
  /** Bytes. */
  readonly size: number
  readonly blockSize: number
  readonly status: BenjiVersionStatus
  readonly protected: boolean
  /** Name of Benji's storage. */
  readonly storage: string
  readonly labels: Readonly<Record<string, string>>
  /** `undefined` until its backup has ended. With a base they count only what was looked at. */
  readonly bytesRead: number | undefined
  readonly bytesWritten: number | undefined
  readonly bytesDeduplicated: number | undefined
  readonly bytesSparse: number | undefined
  readonly durationSeconds: number | undefined
}
