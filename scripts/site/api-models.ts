import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { listWorkspaces, root, type Workspace } from '../workspaces.ts'

/** The packages whose exports are described: public, with an entry point. The engine's own is for nobody to build on. */
export function describedWorkspaces(): readonly Workspace[] {
  return listWorkspaces().filter(
    ({ manifest }) =>
      manifest.private !== true && manifest.exports?.['.'] !== undefined && manifest.name !== '@holdfast/runtime',
  )
}

/**
 * What api-documenter says of the exports of all packages, as Markdown: a file for each export and each of its members.
 * Needs a build.
 *
 * @param directory - an empty one, for models and pages
 * @returns where the pages are
 */
export function documentExports(directory: string): string {
  const models = join(directory, 'models')
  const pages = join(directory, 'pages')
  mkdirSync(models, { recursive: true })
  for (const workspace of describedWorkspaces()) writeModel(workspace, models)
  const program = join(root, 'node_modules/@microsoft/api-documenter/bin/api-documenter')
  execFileSync(process.execPath, [program, 'markdown', '--input-folder', models, '--output-folder', pages], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return pages
}

function writeModel({ folder, manifest }: Workspace, models: string): void {
  const projectFolder = join(root, folder)
  const entry = join(projectFolder, 'dist/index.d.ts')
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8')) as {
    readonly compilerOptions: object
  }
  const quiet = { default: { logLevel: ExtractorLogLevel.None } }
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder,
      mainEntryPointFilePath: entry,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: { ...compilerOptions, noEmit: true, rewriteRelativeImportExtensions: false },
          files: [entry],
        },
      },
      apiReport: { enabled: false },
      docModel: { enabled: true, apiJsonFilePath: join(models, `${manifest.name.replace(/^.*\//, '')}.api.json`) },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: quiet,
        tsdocMessageReporting: quiet,
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, 'package.json'),
  })
  const problems: string[] = []
  Extractor.invoke(config, {
    localBuild: true,
    messageCallback(message) {
      message.handled = true
      if (message.logLevel === ExtractorLogLevel.Error) problems.push(message.text)
    },
  })
  if (problems.length > 0) throw new Error(`${manifest.name} can't be described:\n${problems.join('\n')}`)
}
