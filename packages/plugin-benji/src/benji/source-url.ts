import { ioOf, type BenjiEngine } from '../engine.ts'
import { errors } from '../errors.ts'
import { formatImage, type RbdImage } from '../rbd/image.ts'

/**
 * `rbd:pool/[ns/]image[@snapshot]`, with Ceph's user and keyring behind it where they are set: Benji's own io names one
 * user for all (K22). One io reaches all pools, whatever they are called (K19).
 *
 * @throws HoldfastError `BENJI_NAME` for an image that no URL of Benji's can name
 */
export function sourceUrl(engine: BenjiEngine | undefined, image: RbdImage, snapshot?: string): string {
  const path = `${formatImage(image)}${snapshot === undefined || snapshot === '' ? '' : `@${snapshot}`}`
  // Benji decodes nothing in it.
  if (/[?\p{Cc}]/u.test(path)) {
    throw errors.BENJI_NAME({ what: 'image', name: path, problem: "has a ?, which begins the options in Benji's URLs" })
  }
  const { user, keyring } = engine?.ceph ?? {}
  const query = Object.entries({ client_identifier: user, keyring }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  return `${ioOf(engine)}:${path}${query.length === 0 ? '' : `?${query.join('&')}`}`
}
