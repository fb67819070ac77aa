// The chart, as somebody installs it who reads its notes.
import { run, succeed, type Ended } from './kubectl.ts'
import { images, reachesApi } from './namespace.ts'

const chart = new URL('../../charts/holdfast', import.meta.url).pathname

/** Values of the chart. */
export type Values = Readonly<Record<string, unknown>>

const [repository, tag] = images.holdfast.split(':')
const ours = {
  image: { repository, tag },
  // The chart's own half minutes between probes are what most of a test would be.
  probes: { readiness: { periodSeconds: 2 } },
}

/** For pods that call the API: in the kit's cluster they need the node's network, where other tests have ports, too. */
export const onHost = { hostNetwork: true, extraEnv: reachesApi.env, metrics: { port: 0 } } as const

/** An installation of the chart. */
export interface Release {
  readonly name: string
  /** The name of its objects. */
  readonly fullname: string
  /** Selects its pods. */
  readonly selector: string
  /** Waits until everything is ready. @returns what is shown then */
  install(values: Values): Promise<string>
  upgrade(values: Values): Promise<string>
  /** An upgrade, whatever becomes of it. */
  tryUpgrade(values: Values): Promise<Ended>
  /** @returns all that is said, by the chart's Job too */
  uninstall(): Promise<string>
  /** The same, whatever becomes of it. */
  tryUninstall(): Promise<Ended>
  /** How often it was installed or upgraded. */
  revisions(): Promise<number>
  /** What is made of values, without a release. */
  template(values: Values): Promise<string>
}

/** A {@link Release} that is not there yet. */
export function releaseOf(namespace: string, name: string): Release {
  const at = ['--namespace', namespace]
  const wait = ['--wait', '--timeout', '100s']
  const given = (values: Values): { readonly input: string } => ({ input: JSON.stringify({ ...ours, ...values }) })
  return {
    name,
    fullname: `${name}-holdfast`,
    selector: `app.kubernetes.io/name=holdfast,app.kubernetes.io/instance=${name}`,
    install: (values) => succeed('helm', ['install', name, chart, ...at, ...wait, '--values', '-'], given(values)),
    upgrade: (values) => succeed('helm', ['upgrade', name, chart, ...at, ...wait, '--values', '-'], given(values)),
    tryUpgrade: (values) => run('helm', ['upgrade', name, chart, ...at, ...wait, '--values', '-'], given(values)),
    async uninstall() {
      const { code, stdout, stderr } = await run('helm', ['uninstall', name, ...at])
      if (code !== 0) throw new Error(`helm uninstall ${name} ended with ${code}: ${stderr}${stdout}`)
      return stdout + stderr
    },
    tryUninstall: () => run('helm', ['uninstall', name, ...at]),
    async revisions() {
      const history = await succeed('helm', ['history', name, ...at, '--output', 'json'])
      return (JSON.parse(history) as readonly unknown[]).length
    },
    template: (values) => succeed('helm', ['template', name, chart, ...at, '--values', '-'], given(values)),
  }
}

/** Runs the commands of a release's notes that begin so, as somebody does who copies them. @returns what they print */
export async function follow(notes: string, ...beginnings: readonly string[]): Promise<string> {
  let printed = ''
  for (const beginning of beginnings) {
    const line = notes.split('\n').find((each) => each.trim().startsWith(beginning))
    if (line === undefined) throw new Error(`the notes have no command ${beginning}:\n${notes}`)
    printed += await succeed('/bin/sh', ['-c', line])
  }
  return printed
}

/** Of the notes what goes on where the chart's Job has failed. */
export function noHooks(notes: string): string {
  return notes
    .split('\n')
    .filter((line) => line.includes('--no-hooks'))
    .join('\n')
}
