import { count, flag, group, objectOf, part, text, texts, type JsonSchema, type Values } from '../value.ts'

/** Schedules of what config does not show. */
const schedulesByName = {
  type: 'object',
  patternProperties: {
    [String.raw`^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$`]: objectOf(
      {
        cron: { type: 'string', minLength: 1 },
        timeZone: { type: 'string', minLength: 1 },
        paused: { type: 'boolean' },
      },
      ['cron'],
    ),
  },
  additionalProperties: false,
}

/** What differs between the modes, and where state is kept. */
export const workloadValues: Values = {
  replicaCount: count(
    'Pods of mode deployment. With replicas: leader (the default there) one of them schedules, the others take over ' +
      'when it is gone.',
    1,
  ),
  strategy: part(
    'V1DeploymentStrategy',
    'How mode deployment is updated. Default: Recreate, and RollingUpdate where two pods can be there at once: with ' +
      "replicas: leader, without a volume claim and without the host's network.",
  ),
  terminationGracePeriodSeconds: count(
    'How long a pod may take to stop. Five seconds less are for undos and for ending the run (HOLDFAST_SHUTDOWN_GRACE). ' +
      'In mode sidecar, say here what your pod has.',
    30,
    10,
  ),
  uninstall: group('How the release is uninstalled, in modes deployment and cronjob.', {
    wait: flag(
      "First, while the account has its rights, a Job (a hook of Helm's) deletes what runs the pods, and waits until they " +
        'have given back what they have taken: for terminationGracePeriodSeconds and a minute. It has an account and a ' +
        'Role of its own, and goes when it is done. Not where rbac.create is false.',
      true,
    ),
  }),
  cronjob: group('Mode cronjob.', {
    plans: {
      description:
        'Plans that config does not show, because it is kept elsewhere or gives them no schedule: name → schedule. ' +
        "Those that config schedules have a CronJob without this; an entry wins over the plan's own schedule.",
      schema: schedulesByName,
      default: {},
      example: `
shop: { cron: '0 3 * * *', timeZone: Europe/Berlin }
`,
    },
    drills: {
      description: 'The same for drills.',
      schema: schedulesByName,
      default: {},
      example: `
shop-weekly: { cron: '0 5 * * 0', timeZone: Europe/Berlin }
`,
    },
    successfulJobsHistoryLimit: count('How many Jobs that succeeded are kept.', 3),
    failedJobsHistoryLimit: count('How many Jobs that failed are kept.', 3),
    startingDeadlineSeconds: {
      ...count('How late a run may still be started. Not set: as late as the next slot.', undefined, 10),
      example: '600',
    },
    activeDeadlineSeconds: {
      ...count("Ends a Job after this long, whatever its plan's budget says.", undefined, 1),
      example: '86400',
    },
    ttlSecondsAfterFinished: { ...count('Removes a Job this long after its end.'), example: '604800' },
  }),
  sidecar: group('Mode sidecar.', {
    native: flag(
      'As a native sidecar (an init container that keeps running, Kubernetes 1.29): it starts before the application ' +
        'and stops after it. false: a plain container.',
      true,
    ),
    targetContainer: text(
      "The application's container, for kubectlexec (TARGET_CONTAINER). With one, the Role allows to run commands in pods.",
    ),
  }),
  state: group('Where the journal, locks and variables are: /var/lib/holdfast.', {
    emptyDir: part(
      'V1EmptyDirVolumeSource',
      'A volume that lives as long as the pod. Pending undos are ConfigMaps too, so they outlive it.',
    ),
    persistence: group('A volume claim in its place, which keeps the history of runs (and a store that is in there).', {
      enabled: flag('Whether there is one.', false),
      existingClaim: text('One of yours; the chart makes none then.'),
      size: text('How large the one is that the chart makes.', {
        default: '1Gi',
        schema: { type: 'string', pattern: String.raw`^\d+(\.\d+)?([EPTGMK]i?|k|m)?$` },
      }),
      accessModes: {
        description: 'How it is mounted.',
        schema: {
          type: 'array',
          minItems: 1,
          items: { enum: ['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany'] },
        },
        default: ['ReadWriteOnce'],
      },
      storageClassName: {
        ...text("Its storage class; '' asks for none. Not set: the cluster's default."),
        default: undefined,
        example: 'fast',
      },
      annotations: texts('Its annotations.'),
      keep: flag('It stays when the release is uninstalled: there may be backups in it.', true),
    }),
  }),
  probes: group("Probes are commands in the pod's own container; they need no port.", {
    enabled: flag('Whether there are any.', true),
    liveness: {
      ...timing('Ends a daemon that does nothing any more.'),
      default: { periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 6 },
    },
    readiness: {
      ...timing(
        'Says that the configuration, the state and the plans are in order. A sidecar has none: its application would ' +
          'not be ready either.',
      ),
      default: { periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 3 },
    },
  }),
}

function timing(description: string): { readonly description: string; readonly schema: JsonSchema } {
  const number = (about: string, minimum = 1): JsonSchema => ({ description: about, type: 'integer', minimum })
  return {
    description,
    schema: objectOf({
      initialDelaySeconds: number('Seconds before the first one.', 0),
      periodSeconds: number('Seconds between two.'),
      timeoutSeconds: number('Seconds that one may take.'),
      failureThreshold: number('How many must fail in a row.'),
      successThreshold: number('How many must succeed in a row after a failure.'),
    }),
  }
}
