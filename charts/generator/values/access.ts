import { flag, group, listOf, oneOf, parts, text, texts, type Values } from '../value.ts'

/** What it may do in the cluster. */
export const accessValues: Values = {
  serviceAccount: group('The account that it uses.', {
    create: flag('Whether the chart makes one.', true),
    name: text("Its name. Default: the release's, or default where the chart makes none."),
    annotations: texts('Its annotations.'),
  }),
  rbac: group('What the account may do. What Holdfast itself needs is always there, in this namespace only.', {
    create: flag('Whether the chart makes Roles.', true),
    scope: oneOf(
      ['namespace', 'cluster'],
      'Where exec and rules apply: in namespace (this one and those in namespaces), or in every one.',
      'namespace',
    ),
    namespaces: {
      description: 'Further namespaces, each of which gets a Role.',
      schema: { ...listOf({ type: 'string', minLength: 1 }), uniqueItems: true },
      default: [],
    },
    exec: flag(
      'Commands may be run in pods. Scripts of the chart that call kubectlexec, and sidecar.targetContainer, bring it along.',
      false,
    ),
    rules: parts('V1PolicyRule', 'What plugins need: what `holdfast generate rbac` prints.', {
      example: '- { apiGroups: [""], resources: [persistentvolumeclaims], verbs: [get, list] }',
    }),
    clusterRules: parts('V1PolicyRule', 'The same for what is in no namespace; always a ClusterRole.', {
      example: '- { apiGroups: [""], resources: [persistentvolumes], verbs: [get, list] }',
    }),
  }),
}
