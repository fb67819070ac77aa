// What pages say of installing our packages, with the packed tarballs in place of names that a registry would know. Part of
// `npm run check:packages`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blockOf } from './page-blocks.ts'
import { all, inOrder, tryProgram } from './try-program.ts'

/** Blocks by their pages. */
const blocks = [
  ['docs/start/scripts.md', 'install'],
  ['docs/start/typescript.md', 'install'],
  ['docs/start/mongodb.md', 'install'],
  ['docs/test-a-plugin.md', 'install'],
] as const

/**
 * What somebody would trip over who types these, one line each.
 *
 * @param folder - of one's own
 * @param tarballs - by the names of their packages
 */
export async function findInstallProblems(
  folder: string,
  tarballs: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const pagesByCommand = Map.groupBy(blocks, ([page, name]) => blockOf(page, name).trim())
  return all(
    [...pagesByCommand].map(async ([command, pages], index) => {
      const cwd = join(folder, `install-${index}`)
      mkdirSync(cwd, { recursive: true })
      writeFileSync(join(cwd, 'package.json'), '{}')
      const title = `${pages.map(([page]) => page).join(', ')}: ${command}`
      const env = { npm_config_prefix: cwd, npm_config_prefer_offline: 'true', npm_config_audit: 'false' }
      const tried = (words: string): Promise<readonly string[]> =>
        tryProgram(['sh', '-euc', words], { cwd, title, env })
      return inOrder([
        () => tried(here(command, tarballs)),
        () =>
          tried(command.includes('--global') ? 'bin/holdfast --version' : 'node -e "import(\'@holdfast/testing\')"'),
      ])
    }),
  )
}

/** What a package of ours needs of ours comes from its tarball, too. */
function here(command: string, tarballs: ReadonlyMap<string, string>): string {
  const needed = { '@holdfast/sidecar': [], '@holdfast/testing': ['@holdfast/runtime', '@holdfast/sdk'] }
  return Object.entries(needed).reduce(
    (words, [name, others]) =>
      words.replace(name, [name, ...others].map((each) => tarballs.get(each) ?? each).join(' ')),
    command,
  )
}
