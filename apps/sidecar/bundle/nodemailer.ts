// How nodemailer gets into the bundle: in a file of its own, which is loaded when the first mail is sent, and half as large
// as it comes.
import { fileURLToPath } from 'node:url'
import type { Options } from 'tsup'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** The one module that knows it, and so what is used of it. */
export const mailerEntry = fileURLToPath(new URL('../../../packages/runtime/src/notify/mailer.ts', import.meta.url))

/**
 * Of it what sends one mail of text to the server that is named. Types of files and names of providers are lists that nobody
 * asks here; there are no attachments, other ways to send, pools, signatures, proxies or tokens of OAuth.
 */
export const leanNodemailer: Plugin = {
  name: 'lean-nodemailer',
  setup(build) {
    const unused =
      /[\\/]nodemailer[\\/]dist[\\/]esm[\\/](mime-funcs[\\/]mime-types|(well-known|smtp-pool|sendmail-transport|stream-transport|json-transport|ses-transport|dkim|xoauth2|fetch)[\\/]index|smtp-connection[\\/]http-proxy-client)\.js$/
    build.onLoad({ filter: unused }, ({ path }) => ({
      contents: path.endsWith('mime-types.js')
        ? `export const detectMimeType = () => 'application/octet-stream', detectExtension = () => 'bin'`
        : 'export default class {}',
    }))
  },
}
