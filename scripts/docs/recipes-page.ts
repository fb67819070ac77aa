import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { root } from '../workspaces.ts'

const folder = 'examples/recipes'
/** In the order of the overview. */
const recipes = ['postgresql', 'mariadb', 'redis', 'sqlite', 'tar'].map((name) => `${folder}/${name}/README.md`)

/** `docs/recipes.md`: the pages of the recipes one after the other, with their files in place of links to them. */
export function renderRecipes(): string {
  const [title = '', ...overview] = paragraphsOf(`${folder}/README.md`)
  const own = overview.filter((paragraph) => !/docs\/recipes\.md|^<!-- setup/.test(paragraph))
  const note = `<!-- Generated from ${folder} by \`npm run docs\`: edit there. -->`
  return [title, note, ...own, ...recipes.flatMap(renderRecipe)].join('\n\n')
}

/** A recipe as a section. The table of its files, which comes before its first heading, becomes the files. */
function renderRecipe(page: string): readonly string[] {
  const paragraphs = paragraphsOf(page)
  const table = paragraphs.findIndex((paragraph) => paragraph.startsWith('|'))
  const demoted = paragraphs.map((paragraph) => paragraph.replace(/^#+ /, '#$&'))
  return demoted.with(table, filesOf(dirname(page)))
}

function filesOf(directory: string): string {
  const patterns = ['scripts/backups/*', 'scripts/verify_backups/*', 'hooks.ts']
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: join(root, directory) }).toSorted())
    .map((file) => {
      const language = file.endsWith('.ts') ? 'ts' : 'sh'
      const code = readFileSync(join(root, directory, file), 'utf8')
      const said = language === 'sh' ? `<!-- copy of: ${directory}/${file} -->\n\n` : ''
      return `\`${file}\`:\n\n${said}\`\`\`${language}\n${code}\`\`\``
    })
    .join('\n\n')
}

/** What stands between empty lines; blocks of code stay whole. Links are as seen from `docs/`. */
function paragraphsOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8').trim()
  const [first = '', ...blocks] = text.split(/^(?=```\w)/m)
  return [...first.trim().split('\n\n'), ...blocks.flatMap(splitAfterBlock)].map((paragraph) => moved(paragraph, page))
}

function splitAfterBlock(text: string): string[] {
  const end = text.indexOf('\n```\n') + '\n```'.length
  const rest = text.slice(end).trim()
  return [text.slice(0, end), ...(rest === '' ? [] : rest.split('\n\n'))]
}

function moved(paragraph: string, page: string): string {
  if (paragraph.startsWith('```')) return paragraph
  // What is run there needn't be run here.
  if (/^<!-- run\b/.test(paragraph)) return `<!-- copy of: ${page} -->`
  return paragraph.replaceAll(/\]\(([^)#\s]+)(#[^)\s]*)?\)/g, (whole, link: string, heading = '') => {
    if (/^[a-z]+:/.test(link)) return whole
    const target = posix.join(dirname(page), link)
    return recipes.includes(target) ? `](#${anchorOf(target)})` : `](${posix.relative('docs', target)}${heading})`
  })
}

function anchorOf(page: string): string {
  const [title = ''] = readFileSync(join(root, page), 'utf8').split('\n')
  return title.replace(/^# /, '').toLowerCase().replaceAll(' ', '-')
}
