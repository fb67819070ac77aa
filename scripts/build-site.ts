// Builds the site into dist/site and checks what was built: `npm run site`. HOLDFAST_SITE_BASE is the path that it will be
// served at, such as /holdfast/ (default: /). To see it: `npx vitepress preview docs`; to write: `npx vitepress dev docs`.
import { join } from 'node:path'
import { env } from 'node:process'
import { build } from 'vitepress'
import { writeApiPages } from './site/api-pages.ts'
import { findSiteProblems } from './site/check-site.ts'
import { root } from './workspaces.ts'

// First: the list of pages is made when VitePress reads its configuration.
writeApiPages()
await build(join(root, 'docs'))
const problems = findSiteProblems(join(root, 'dist/site'), env['HOLDFAST_SITE_BASE'] ?? '/')
for (const problem of problems) console.error(problem)
if (problems.length > 0) throw new Error(`the site has ${problems.length} problems`)
console.log('the site is in dist/site: every link leads somewhere, and nothing is loaded from elsewhere')
