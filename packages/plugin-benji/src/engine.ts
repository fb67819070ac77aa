import { isDuration } from '@holdfast/sdk'
import * as z from 'zod'

/** Which Benji and which Ceph every part of this package talks to. */
export interface BenjiEngineOptions {
  /** The program, with leading arguments. Default `['benji']`. */
  readonly command?: readonly [string, ...string[]] | undefined
  /** Benji's configuration file. Default: Benji's own search, the first of `/etc/benji.yaml`, `/etc/benji/benji.yaml`, `~/.benji.yaml`, `~/benji.yaml`. */
  readonly configFile?: string | undefined
  /** Benji's storage. Default: the `defaultStorage` of its configuration. */
  readonly storage?: string | undefined
  /** Name of the one entry of Benji's `ios` that reaches all pools, with module `rbdaio`. Default `'rbd'`. */
  readonly io?: string | undefined
  /** What `rbd` and Benji reach Ceph with. Default: what `ceph.conf` says, as `client.admin`. */
  readonly ceph?:
    | {
        /** Without `client.`. */
        readonly user?: string | undefined
        /** `ceph.conf`, for `rbd`; Benji's is `cephConfigFile` in its own configuration. */
        readonly conf?: string | undefined
        readonly keyring?: string | undefined
        /** The program, with leading arguments. Default `['rbd']`. */
        readonly rbd?: readonly [string, ...string[]] | undefined
      }
    | undefined
  /** Label of all versions that are ours, `benji-backup.me/instance`. Default: `BENJI_INSTANCE`, else `'benji-k8s'`. */
  readonly instance?: string | undefined
  /** Level of Benji's log, which goes to the run's. Default `'INFO'`. */
  readonly logLevel?: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | undefined
  /**
   * `true`: the metrics of Benji's Kubernetes tools go to the Pushgateway of `PROM_PUSH_GATEWAY` as well; or to this one:
   * `host:port` or a URL. Default false.
   */
  readonly compatMetrics?: boolean | { readonly gateway: string } | undefined
  /** Variables for `benji` and `rbd`, over those of Holdfast's own process. Undos don't keep them. */
  readonly env?: Readonly<Record<string, string>> | undefined
}

/** A duration, as every option that takes one. */
export const duration = z
  .union([z.number(), z.templateLiteral([z.number(), z.enum(['ms', 's', 'm', 'h', 'd'])])], {
    error: "use milliseconds or a number with ms, s, m, h or d, such as '5m'",
  })
  .refine(isDuration, { error: 'a duration is not negative' })

const command = z.tuple([z.string().min(1)], z.string()).readonly()

/** Validates {@link BenjiEngineOptions}. */
export const engineSchema = z.strictObject({
  command: command.optional(),
  configFile: z.string().min(1).optional(),
  storage: z.string().min(1).optional(),
  io: z
    .string()
    // Benji takes it for the scheme of a URL, and Python lower-cases those.
    .regex(/^[a-z][a-z0-9+.-]*$/, {
      error:
        'Benji can only address an io whose name has lower-case letters, digits, +, - and ., and begins with a letter',
    })
    .optional(),
  ceph: z
    .strictObject({
      user: z.string().min(1).optional(),
      conf: z.string().min(1).optional(),
      keyring: z.string().min(1).optional(),
      rbd: command.optional(),
    })
    .optional(),
  instance: z.string().min(1).optional(),
  logLevel: z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR']).optional(),
  compatMetrics: z.union([z.boolean(), z.strictObject({ gateway: z.string().min(1) })]).optional(),
  env: z.record(z.string(), z.string()).optional(),
})

/** The engine's options after validation. */
export type BenjiEngine = z.output<typeof engineSchema>

/** The label that says whose a version is. */
export function instanceOf(engine: BenjiEngine | undefined): string {
  return engine?.instance ?? (process.env['BENJI_INSTANCE'] || 'benji-k8s')
}

/** The io of Benji that reaches every pool. */
export function ioOf(engine: BenjiEngine | undefined): string {
  return engine?.io ?? 'rbd'
}
