// What each public package exports, as a report in the tree: packages/NAME/api/NAME.api.md. A change of an API is a change of
// a file that somebody looks at. `npm run api` writes them after a build; `npm run check:packages` looks whether they are true.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv } from 'node:process'
import { Extractor, ExtractorConfig, ExtractorLogLevel, type IConfigFile } from '@microsoft/api-extractor'
import { listWorkspaces, root, type Workspace } from './workspaces.ts'

/** Where the report of a package is, relative to the repository. */
function reportFile({ folder, manifest }: Workspace): string {
  const name = manifest.name.replace(/^@[^/]*\//, '')
  return `${folder}/api/${name}.api.md`
}

/** The packages that others import: public, with an entry point. */
function reportedWorkspaces(): readonly Workspace[] {
  return listWorkspaces().filter(({ manifest }) => manifest.private !== true && manifest.exports?.['.'] !== undefined)
}

/** Where reports are not what the code says, one line each. Needs a build. */
function findReportProblems(): readonly string[] {
  return reportedWorkspaces().flatMap((workspace) => {
    const file = reportFile(workspace)
    const { report, problems } = extract(workspace)
    if (problems.length > 0) return problems
    if (existsSync(join(root, file)) && readFileSync(join(root, file), 'utf8') === report) return []
    return [
      `${file} is not what ${workspace.manifest.name} exports: run \`npm run api\`, look at what changes there, and describe it in a changeset (\`npx changeset\`)`,
    ]
  })
}

function writeReports(): readonly string[] {
  return reportedWorkspaces().flatMap((workspace) => {
    const { report, problems } = extract(workspace)
    const file = join(root, reportFile(workspace))
    mkdirSync(join(file, '..'), { recursive: true })
    if (problems.length === 0) writeFileSync(file, report)
    return problems
  })
}

/** Makes the report of a package from its built declarations. */
function extract({ folder, manifest }: Workspace): { readonly report: string; readonly problems: readonly string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-api-'))
  const problems: string[] = []
  try {
    const config = ExtractorConfig.prepare({
      configObject: configOf(join(root, folder), directory, manifest.name !== engine),
      configObjectFullPath: undefined,
      packageJsonFullPath: join(root, folder, 'package.json'),
    })
    Extractor.invoke(config, {
      localBuild: true,
      messageCallback(message) {
        const { logLevel, text } = message
        message.handled = true
        if (logLevel === ExtractorLogLevel.Error) problems.push(`${manifest.name}: ${text}`)
      },
    })
    const report = problems.length > 0 ? '' : readFileSync(join(directory, 'report.api.md'), 'utf8')
    return { report, problems }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

// Its own types are not for others to name (docs/stability.md).
const engine = '@holdfast/runtime'

function configOf(projectFolder: string, directory: string, includeForgottenExports: boolean): IConfigFile {
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8')) as {
    readonly compilerOptions: object
  }
  const quiet = { logLevel: ExtractorLogLevel.None }
  return {
    projectFolder,
    mainEntryPointFilePath: '<projectFolder>/dist/index.d.ts',
    newlineKind: 'lf',
    compiler: {
      overrideTsconfig: {
        compilerOptions: { ...compilerOptions, noEmit: true, rewriteRelativeImportExtensions: false },
        files: [join(projectFolder, 'dist/index.d.ts')],
      },
    },
    apiReport: {
      enabled: true,
      reportFileName: 'report.api.md',
      reportFolder: directory,
      reportTempFolder: join(directory, 'temp'),
      includeForgottenExports,
      tagsToReport: { '@experimental': true },
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
      extractorMessageReporting: {
        default: { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
        // Everything is public that isn't marked as @experimental.
        'ae-missing-release-tag': quiet,
        // They are in the report, as what they are.
        'ae-forgotten-export': quiet,
        'ae-undocumented': quiet,
        'ae-unresolved-link': quiet,
      },
      // Oxlint and editors look at comments.
      tsdocMessageReporting: { default: quiet },
    },
  }
}

if (import.meta.filename === argv[1]) {
  const problems = argv[2] === '--check' ? findReportProblems() : writeReports()
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
}
