// What is large and seldom needed is in a file of its own beside the bundle, CommonJS, so that images can keep it compressed.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Options } from 'tsup'
import { awsEntry } from './aws-sdk.ts'
import { mailerEntry } from './nodemailer.ts'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** The one module that knows MongoDB's driver, and so what is used of it. */
export const mongodbEntry = fileURLToPath(
  new URL('../../../packages/plugin-mongodump/src/server/driver.ts', import.meta.url),
)

/** Modules that only re-export what is used of a library, and the file that has it. */
const files: Readonly<Record<string, string>> = {
  [awsEntry]: 'aws-s3.cjs',
  [mailerEntry]: 'nodemailer.cjs',
  [mongodbEntry]: 'mongodb.cjs',
}

/** For the bundle's other files: such a library is loaded from its own when it is first used. */
export const apart: Plugin = {
  name: 'apart',
  setup(build) {
    build.onLoad(
      {
        filter:
          /[\\/](storage-s3[\\/]src[\\/]aws|plugin-mongodump[\\/]src[\\/]server[\\/]driver|runtime[\\/]src[\\/]notify[\\/]mailer)\.ts$/,
      },
      ({ path }) => {
        const file = files[path]
        if (file === undefined) return undefined
        const [, list = ''] = /export \{([^}]+)\}/.exec(readFileSync(path, 'utf8')) ?? []
        const names = list.split(',').flatMap((name) => name.trim() || [])
        return { contents: `export const { ${names.join(', ')} } = require('./${file}')` }
      },
    )
    // Of Kubernetes' client only this is used, and only where there is a kubeconfig, which pods don't have.
    build.onResolve({ filter: /^@kubernetes\/client-node$/ }, ({ path }) => ({ path, namespace: 'apart' }))
    build.onLoad({ filter: /.*/, namespace: 'apart' }, () => ({
      contents: `export const { KubeConfig } = require('./kube-config.cjs')`,
    }))
    build.onResolve({ filter: /^\.\/(aws-s3|kube-config|mongodb|nodemailer)\.cjs$/ }, ({ path }) => ({
      path,
      external: true,
    }))
  },
}
