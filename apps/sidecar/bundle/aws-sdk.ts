// How the AWS SDK gets into the bundle: in a file of its own, which is loaded when a store in S3 is first talked to, and
// half as large as it comes.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Options } from 'tsup'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** The one module that knows the SDK, and so what is used of it. */
export const awsEntry = fileURLToPath(new URL('../../../packages/storage-s3/src/aws.ts', import.meta.url))

/**
 * Of the SDK what a pod needs. Credentials that begin with a browser (IAM Identity Center, `aws login`) are refused with a
 * sentence: nobody can log in where there is none. Nothing here is an event stream.
 */
export const awsForPods: Plugin = {
  name: 'aws-for-pods',
  setup(build) {
    const browser = /^@aws-sdk\/(credential-provider-(sso|login)|nested-clients\/(sso|sso-oidc|signin))$/
    const unused = /^(bowser|@smithy\/core\/event-streams)$/
    build.onResolve({ filter: browser }, ({ path }) => ({ path, namespace: 'browser' }))
    build.onResolve({ filter: unused }, ({ path }) => ({ path, namespace: 'unused' }))
    build.onLoad({ filter: /.*/, namespace: 'browser' }, () => ({ contents: withoutBrowser, resolveDir: awsEntry }))
    build.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'export const eventStreamSerdeProvider = undefined, resolveEventStreamSerdeConfig = (config) => config',
    }))
    // What names its keys by constants may do anything while it is evaluated, as far as a bundler can tell, and all 110
    // operations would stay.
    build.onLoad({ filter: /[\\/]client-s3[\\/]dist-es[\\/]schemas[\\/]schemas_0\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const constants = new Map(
        [...text.matchAll(/^const (_\w+) = ("[^"]*");$/gm)].map(([, name, value]) => [name, value]),
      )
      return {
        contents: text.replace(/\[(_\w+)\]:/g, (key, name: string) =>
          constants.has(name) ? `${constants.get(name)}:` : key,
        ),
      }
    })
    // Only their versions are looked at.
    build.onLoad({ filter: /[\\/]@aws-sdk[\\/](client-s3|nested-clients)[\\/]package\.json$/ }, ({ path }) => {
      const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }
      return { contents: JSON.stringify({ version }), loader: 'json' }
    })
  },
}

const withoutBrowser = `
const refuse = () => async () => {
  const message = 'the profile logs in with a browser (sso, login), which this program has none of; use a role, or keys'
  throw Object.assign(new Error(message), { name: 'CredentialsProviderError', tryNextLink: false })
}
export const fromSSO = refuse
export const fromLoginCredentials = refuse
`
