import { defineErrors } from '@holdfast/sdk'

/** What the API server, or the way to it, refuses. */
export const kubernetesErrors = defineErrors(
  {
    KUBECONFIG_INVALID: {
      message: (p: { source: string; reason: string }) => `the cluster of ${p.source} can't be used: ${p.reason}`,
      hint: 'Nothing that needs the Kubernetes API works. Correct the file, or unset KUBECONFIG; in a pod the service account is used.',
    },
    KUBERNETES_FORBIDDEN: {
      message: (p: { verb: string; what: string; rule: string }) =>
        `the API server does not allow to ${p.verb} ${p.what}`,
      hint: (p) =>
        `Nothing was done there. Whoever Holdfast runs as needs this rule: ${p.rule}. \`holdfast generate rbac\` prints all that the configuration needs.`,
    },
    KUBERNETES_UNAUTHORIZED: {
      message: (p: { verb: string; what: string; source: string }) =>
        `the API server does not know ${p.source}: it refused to ${p.verb} ${p.what}`,
      hint: 'Nothing was done there. The token or certificate is expired, revoked, or of another cluster; it was read again before this was said.',
      retryable: true,
    },
    KUBERNETES_NOT_FOUND: {
      message: (p: { verb: string; what: string }) => `the API server has no ${p.what} to ${p.verb}`,
      hint: 'Nothing was done there. Check the name and the namespace.',
    },
    KUBERNETES_CONFLICT: {
      message: (p: { verb: string; what: string; reason: string }) => `can't ${p.verb} ${p.what}: ${p.reason}`,
      hint: 'Nothing was done there. Somebody else made or changed it meanwhile; what is there now must be looked at first.',
    },
    KUBERNETES_EXPIRED: {
      message: (p: { verb: string; what: string }) =>
        `the API server has forgotten the version of ${p.what} that was asked for`,
      hint: 'It must be listed anew. If this comes again and again, the API server is overloaded.',
      retryable: true,
    },
    KUBERNETES_INVALID: {
      message: (p: { verb: string; what: string; status: number; reason: string }) =>
        `the API server refused to ${p.verb} ${p.what}: ${p.reason}`,
      hint: "Nothing was done there. The message is the API server's own; it says what is wrong with what was sent.",
    },
    KUBERNETES_UNAVAILABLE: {
      message: (p: { verb: string; what: string; server: string; reason: string }) =>
        `the API server ${p.server} did not ${p.verb} ${p.what}: ${p.reason}`,
      hint: 'Reading was tried again until its time was up; of a change it is not known whether it happened. Backups that need the API fail while this lasts.',
      retryable: true,
    },
    KUBERNETES_TIMEOUT: {
      message: (p: { verb: string; what: string; server: string; after: string }) =>
        `the API server ${p.server} did not ${p.verb} ${p.what} within ${p.after}`,
      hint: 'Of a change it is not known whether it happened. The API server is overloaded, or the network between drops packets.',
      retryable: true,
    },
    KUBERNETES_NAME_INVALID: {
      message: (p: { name: string }) => `"${p.name}" is no name: no object or namespace can be called that`,
      hint: 'Nothing was sent: the API server would have taken it for something else, such as all objects of the type. This is a mistake in the hook or plugin, or an empty variable.',
    },
    KUBERNETES_TYPE_UNKNOWN: {
      message: (p: { type: string }) => `the API server has no resource "${p.type}"`,
      hint: 'Write it as kubectl does, in the plural and with its group: `pods`, `leases.coordination.k8s.io`. Is its CustomResourceDefinition installed?',
    },
    PERMISSION_MISSING: {
      message: (p: { verbs: string; what: string; owner: string; rule: string }) =>
        `${p.owner} may not ${p.verbs} ${p.what}`,
      hint: (p) =>
        `What needs it will fail. Grant this rule: ${p.rule}. \`holdfast generate rbac\` prints all that the configuration needs.`,
    },
  },
  'docs/errors.md',
)
