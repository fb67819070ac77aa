import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { listWorkspaces, root, type Workspace } from '../workspaces.ts'
import { shortName } from './api-render.ts'

/** The packages whose exports are described: public, with an entry point. The engine's own is for nobody to build on. */
export function describedWorkspaces(): readonly Workspace[] {
  return listWorkspaces().filter(
    ({ manifest }) =>
      manifest.private !== true && manifest.exports?.['.'] !== undefined && manifest.name !== '@holdfast/runtime',
  )
}

/** A piece of a declaration. */
export interface Token {
  readonly kind: 'Content' | 'Reference'
  readonly text: string
  /** What it refers to: `@holdfast/sdk!Plan:interface`. */
  readonly canonicalReference?: string
}

/** From which token to which, the last one not included. */
export interface TokenRange {
  readonly startIndex: number
  readonly endIndex: number
}

/** An export, or a member of one, as api-extractor describes it. */
export interface Item {
  /** `Interface`, `TypeAlias`, `Function`, `Class`, `Variable`, `PropertySignature`, `MethodSignature`, … */
  readonly kind: string
  readonly name?: string
  readonly docComment?: string
  readonly excerptTokens?: readonly Token[]
  readonly members?: readonly Item[]
  readonly isOptional?: boolean
  readonly propertyTypeTokenRange?: TokenRange
}

/** A package, and what it exports. */
export interface Model {
  readonly name: string
  readonly folder: string
  readonly about: string
  readonly exports: readonly Item[]
}

/** What all packages export, from their built declarations. */
export function readModels(): readonly Model[] {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-api-'))
  try {
    return describedWorkspaces().map((workspace) => {
      const { folder, manifest } = workspace
      writeModel(workspace, directory)
      const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
      const whole = read(join(directory, `${shortName(manifest.name)}.api.json`)) as Item
      const { description = '' } = read(join(root, folder, 'package.json')) as { readonly description?: string }
      return { name: manifest.name, folder, about: description, exports: whole.members?.[0]?.members ?? [] }
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
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
      docModel: { enabled: true, apiJsonFilePath: join(models, `${shortName(manifest.name)}.api.json`) },
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
