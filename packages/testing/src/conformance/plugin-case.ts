import type { PlannedStep } from '@holdfast/sdk'
import type { CreateTestRunOptions } from '../create-test-run.ts'
import type { FakeKubernetes } from '../fake-kubernetes/fake-kubernetes.ts'

/** A situation that a plugin is tested in: options, and a world in which they work. */
export interface PluginCase<Options> {
  /** Begins the names of its checks. */
  readonly name: string
  /** Called for each check: a new world, in which a run succeeds. */
  setUp(): PluginWorld<Options> | Promise<PluginWorld<Options>>
}

/** What a plugin is tested with: fakes, or the real things. */
export interface PluginWorld<Options> extends Pick<CreateTestRunOptions, 'exec' | 'env' | 'plan' | 'now'> {
  readonly options: Options
  /** Options that are objects with keys of the user's own, such as labels: `['labels', 'engine.env']`. */
  readonly anyKeys?: readonly string[] | undefined
  readonly cluster?: FakeKubernetes | undefined
  /**
   * What may appear in no output, besides every secret that the plugin opens through its context: what it reads in its own
   * ways.
   */
  readonly secrets?: readonly string[] | undefined
  /**
   * What the plugin's effects have changed, to be compared: what is frozen, which snapshots there are. Left out, it is only
   * seen whether undos fail: not one that was forgotten, nor whether a second one changes something.
   */
  readonly state?: (() => unknown) | undefined
  /** Whether a command only looks. Default: one with `--version`, `--help` or `version` among its words. */
  readonly isRead?: ((command: readonly string[]) => boolean) | undefined
  /** Whether a step of `describe` announces an effect. Default: of the same kind, and it names the effect. */
  readonly announces?: ((step: PlannedStep, effect: PluginEffect) => boolean) | undefined
  /** Restores the newest point of each target with these options, too: what `holdfast restore --to` says. */
  readonly restore?: Readonly<Record<string, string>> | undefined
  /** Called at the end; awaited. */
  close?(): unknown
}

/** Something that a plugin did, as far as `describe` should have said so. */
export interface PluginEffect {
  readonly kind: 'exec' | 'api' | 'artifact'
  /** The program, the verb and the type of object, or the artifact's name. */
  readonly what: string
  /** Of a command. */
  readonly command?: readonly string[] | undefined
  readonly hook: string
}

/** Options of {@link pluginConformance}. */
export interface PluginConformanceOptions {
  /** Undos that no case can bring about, each with the reason. */
  readonly neverArmed?: Readonly<Record<string, string>> | undefined
}

const looks = new Set(['--version', '--help', '-V', 'version'])

/** Whether a command only looks. */
export function isRead(world: Pick<PluginWorld<unknown>, 'isRead'>, command: readonly string[]): boolean {
  return world.isRead?.(command) ?? command.slice(1).some((word) => looks.has(word))
}
