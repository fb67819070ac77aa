import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../workspaces.ts'
import { readModels } from './api-models.ts'
import { renderApi } from './api-render.ts'
import { builtPages } from './pages.ts'

/** Writes the reference of the packages' exports, a page for each, to where the site finds it. Needs a build. */
export function writeApiPages(): void {
  const to = join(root, builtPages)
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  for (const [name, text] of renderApi(readModels())) writeFileSync(join(to, `${name}.md`), text)
}
