import * as z from 'zod'

/** An RBD image. Safe in JSON, for undos and for targets. */
export const rbdImageSchema = z.strictObject({
  pool: z.string().min(1),
  /** RADOS namespace; `''` is the default one. */
  namespace: z.string(),
  name: z.string().min(1),
})

/** An RBD image: pool, RADOS namespace (`''` is the default one) and name. */
export type RbdImage = z.output<typeof rbdImageSchema>

/** `pool/[namespace/]image`, as `rbd` and Benji take it. */
export function formatImage({ pool, namespace, name }: RbdImage): string {
  return namespace === '' ? `${pool}/${name}` : `${pool}/${namespace}/${name}`
}

/** Reads `pool/[namespace/]image`; `pool//image` is the default namespace, as Benji has it. `undefined` when it isn't one. */
export function parseImage(text: string): RbdImage | undefined {
  const parts = text.split('/')
  const [pool = '', ...rest] = parts
  const name = rest.pop() ?? ''
  const namespace = rest[0] ?? ''
  if (rest.length > 1 || pool === '' || name === '' || /[@\s]/.test(text)) return undefined
  return { pool, namespace, name }
}
