// Writes the pages that are derived from the code. `npm run docs`; a test fails when they are out of date.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { format } from 'prettier'
import { imagePlugins } from '../charts/generator/config-schema.ts'
import { configJsonSchema, lifecyclePolicy } from '../packages/runtime/src/index.ts'
import { inputSchema, type JsonSchema } from '../packages/runtime/src/load/json-schema.ts'
import { readCatalogues } from './docs/catalogues.ts'
import { renderChangelog } from './docs/changelog-page.ts'
import { readHelps, renderCommandLine } from './docs/command-line-page.ts'
import { renderConfiguration } from './docs/configuration-page.ts'
import { renderErrors } from './docs/errors-page.ts'
import { renderLifecycle } from './docs/lifecycle-page.ts'
import { renderMetrics } from './docs/metrics-page.ts'
import { readMetrics } from './docs/metrics.ts'
import { renderPermissions } from './docs/permissions-page.ts'
import { renderRecipes } from './docs/recipes-page.ts'
import { renderSizing } from './docs/sizing-page.ts'
import { root } from './workspaces.ts'

/** The generated pages, path → text. */
export async function renderDocs(): Promise<ReadonlyMap<string, string>> {
  const pages: readonly (readonly [string, string])[] = [
    ['CHANGELOG.md', renderChangelog()],
    ['docs/errors.md', renderErrors(await readCatalogues())],
    ['docs/lifecycle.md', renderLifecycle(lifecyclePolicy)],
    ['docs/recipes.md', renderRecipes()],
    ['docs/sizing.md', renderSizing()],
    ['docs/reference/permissions.md', renderPermissions()],
    ['docs/reference/metrics.md', renderMetrics(await readMetrics())],
    ['docs/reference/configuration.md', await configuration()],
    ['docs/reference/command-line.md', renderCommandLine(await readHelps())],
  ]
  const style = { parser: 'markdown', printWidth: 120, singleQuote: true, semi: false }
  return new Map(await Promise.all(pages.map(async ([path, text]) => [path, await format(text, style)] as const)))
}

async function configuration(): Promise<string> {
  const options = Object.entries(imagePlugins).map(([name, { definition }]): [string, JsonSchema] => [
    name,
    inputSchema(definition.config) ?? {},
  ])
  return renderConfiguration(await configJsonSchema(), Object.fromEntries(options))
}

if (import.meta.filename === argv[1]) {
  for (const [path, text] of await renderDocs()) writeFileSync(join(root, path), text)
}
