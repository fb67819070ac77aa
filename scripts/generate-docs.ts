// Writes the pages that are derived from the code. `npm run docs`; a test fails when they are out of date.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'
import { format } from 'prettier'
import { lifecyclePolicy } from '../packages/runtime/src/lifecycle/policy.ts'
import { readCatalogues } from './docs/catalogues.ts'
import { renderErrors } from './docs/errors-page.ts'
import { renderLifecycle } from './docs/lifecycle-page.ts'
import { renderRecipes } from './docs/recipes-page.ts'
import { root } from './workspaces.ts'

/** The generated pages, path → text. */
export async function renderDocs(): Promise<ReadonlyMap<string, string>> {
  const pages: readonly (readonly [string, string])[] = [
    ['docs/errors.md', renderErrors(await readCatalogues())],
    ['docs/lifecycle.md', renderLifecycle(lifecyclePolicy)],
    ['docs/recipes.md', renderRecipes()],
  ]
  const style = { parser: 'markdown', printWidth: 120, singleQuote: true, semi: false }
  return new Map(await Promise.all(pages.map(async ([path, text]) => [path, await format(text, style)] as const)))
}

if (import.meta.filename === argv[1]) {
  for (const [path, text] of await renderDocs()) writeFileSync(join(root, path), text)
}
