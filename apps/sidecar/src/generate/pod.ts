import { modes, type VolumeMount } from './script-volumes.ts'
import type { Blueprint, Part } from './blueprint.ts'
import type { YamlComment } from './yaml.ts'

/** How a container is run. */
export interface ContainerOptions {
  /** What it runs: a command on the image's path, with its arguments. */
  readonly args: readonly string[]
  /** A sidecar of the kubelet's own kind: an init container that goes on. */
  readonly native?: boolean
  /** Asks the daemon whether it lives, and where wanted, whether it is ready. */
  readonly probes?: { readonly readiness: boolean } | undefined
}

/** A part of an object with its comments, whose paths begin at the part. */
export interface CommentedPart<Value> {
  readonly value: Value
  readonly comments: readonly YamlComment[]
}

/** The container that runs Holdfast. */
export function containerOf(blueprint: Blueprint, options: ContainerOptions): CommentedPart<object> {
  const { name, image, env, mounts, asRoot, workingDirectory } = blueprint
  const { args, native = false, probes } = options
  const value = {
    name,
    image,
    args,
    ...(workingDirectory !== undefined && { workingDir: workingDirectory }),
    ...(native && { restartPolicy: 'Always' }),
    env: env.map((part) => part.value),
    ...(probes && { livenessProbe: probe('--live') }),
    ...(probes?.readiness && { readinessProbe: probe('--ready') }),
    resources: { requests: { cpu: '10m', memory: '128Mi' } },
    securityContext: asRoot ? rootContext : restrictedContext,
    volumeMounts: mounts.map(({ name: volume, mountPath, readOnly }): VolumeMount => ({
      name: volume,
      mountPath,
      ...(readOnly && { readOnly }),
    })),
  }
  const relativePaths = 'Relative paths of the configuration begin here: ./scripts is /scripts.'
  const comments: YamlComment[] = [
    ...commentsOf(env, ['env']),
    ...(workingDirectory === undefined ? [] : [{ at: ['workingDir'], text: relativePaths }]),
    ...(native ? [{ at: ['restartPolicy'], text: 'Starts before the application and ends after it.' }] : []),
    ...(asRoot ? [{ at: ['securityContext'], text: 'As root, so that install_dependencies can install.' }] : []),
  ]
  return { value, comments }
}

/** The volumes of its pod. */
export function volumesOf({ volumes }: Blueprint): CommentedPart<readonly object[]> {
  const modeAt = volumes.findIndex(({ value }) => modeOf(value) === modes.programs)
  const mode = {
    at: [modeAt, 'configMap', 'defaultMode'],
    text: '0755, in digits that every reader of YAML takes alike.',
  }
  return {
    value: volumes.map(({ value }) => value),
    comments: [...commentsOf(volumes, []), ...(modeAt === -1 ? [] : [mode])],
  }
}

/** Moves comments to where their part is put. */
export function commentsAt(at: YamlComment['at'], { comments }: CommentedPart<unknown>): readonly YamlComment[] {
  return comments.map((comment) => ({ ...comment, at: [...at, ...comment.at] }))
}

function commentsOf(parts: readonly Part<unknown>[], at: YamlComment['at']): readonly YamlComment[] {
  return parts.flatMap(({ comment }, index) => (comment === undefined ? [] : [{ at: [...at, index], text: comment }]))
}

function modeOf(volume: Readonly<Record<string, unknown>>): unknown {
  return (volume['configMap'] as { readonly defaultMode?: number } | undefined)?.defaultMode
}

// Seldom and patiently: each is a process of its own, and what it finds doesn't change within seconds.
function probe(what: '--live' | '--ready'): object {
  return {
    exec: { command: ['holdfast', 'health', what] },
    periodSeconds: what === '--live' ? 60 : 30,
    timeoutSeconds: 15,
    failureThreshold: what === '--live' ? 5 : 1,
  }
}

/** What the strictest Pod Security Standard asks for; the user is the image's. */
const restrictedContext = {
  runAsNonRoot: true,
  runAsUser: 1000,
  runAsGroup: 1000,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

/** What package managers need: an owner of files, and a root file system that can be written. */
const rootContext = {
  runAsNonRoot: false,
  runAsUser: 0,
  runAsGroup: 0,
  allowPrivilegeEscalation: false,
  seccompProfile: { type: 'RuntimeDefault' },
}
