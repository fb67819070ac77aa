import { group, listOf, text, type Values } from '../value.ts'

/** Who may tell it to do something. */
export const apiValues: Values = {
  api: group('The API behind the status page. Without a token it only shows; modes deployment and sidecar.', {
    tokenSecret: group(
      'Who has this token may run, pause and resume plans, and give back undos. Where it is missing, nobody may, and backups go on.',
      {
        name: text('A Secret of yours in this namespace.'),
        key: text('Which of its keys is the token: at least 16 characters.', { default: 'token' }),
      },
    ),
    hosts: {
      description: 'Names under which it may be told so, besides addresses, localhost and services of the cluster.',
      schema: { ...listOf({ type: 'string', pattern: String.raw`^[\w.-]+$` }), uniqueItems: true },
      default: [],
    },
  }),
}
