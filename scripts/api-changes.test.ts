import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findSilentChanges } from './api-changes.ts'
import { root } from './workspaces.ts'

const report = 'packages/sdk/api/sdk.api.md'

/** A repository with one package, on a branch that comes from main. */
function repository(): {
  readonly from: string
  write(file: string, text: string): void
  git(...args: string[]): void
} {
  const from = mkdtempSync(join(tmpdir(), 'holdfast-changes-'))
  onTestFinished(() => rmSync(from, { recursive: true }))
  const git = (...args: string[]): void => {
    const own = ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.com', '-c', 'commit.gpgsign=false']
    execFileSync('git', [...own, ...args], { cwd: from, stdio: 'ignore' })
  }
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(from, file)), { recursive: true })
    writeFileSync(join(from, file), text)
  }
  git('init', '--initial-branch=main')
  write('packages/sdk/package.json', '{ "name": "@holdfast/sdk", "version": "1.0.0" }')
  write(report, 'export function old(): void\n')
  write('.changeset/earlier.md', "---\n'@holdfast/sdk': minor\n---\n\nEarlier.\n")
  git('add', '.')
  git('commit', '-m', 'first')
  git('branch', 'upstream')
  git('checkout', '-b', 'mine')
  return { from, write, git }
}

const says = [`${report} has changed, and no changeset says so to who upgrades @holdfast/sdk: \`npx changeset\``]

test('a report that has changed needs a changeset, committed or not', () => {
  const { from, write, git } = repository()
  const find = () => findSilentChanges({ from, upstream: 'upstream' })
  expect(find()).toEqual([])
  write(report, 'export function next(): void\n')
  expect(find()).toEqual(says)
  git('commit', '-am', 'second')
  expect(find()).toEqual(says)
  write('.changeset/other.md', "---\n'@holdfast/runtime': patch\n---\n\nSomething else.\n")
  expect(find()).toEqual(says)
  write('.changeset/mine.md', "---\n'@holdfast/sdk': minor\n---\n\nIt is called next.\n")
  expect(find()).toEqual([])
  git('add', '.')
  git('commit', '-m', 'third')
  expect(find()).toEqual([])
})

test('what is upstream already is not asked for again, and other files need none', () => {
  const { from, write, git } = repository()
  write('packages/sdk/src/index.ts', 'export function old(): void {}\n')
  write(report, 'export function next(): void\n')
  git('add', '.')
  git('commit', '-m', 'second')
  git('branch', '--force', 'upstream')
  expect(findSilentChanges({ from, upstream: 'upstream' })).toEqual([])
})

test('where there is nothing to compare with, nothing is said', () => {
  const { from, write } = repository()
  write(report, 'export function next(): void\n')
  expect(findSilentChanges({ from, upstream: 'origin/main' })).toEqual([])
})

test('docs/stability.md names what is marked as experimental, and nothing else', () => {
  const page = readFileSync(join(root, 'docs/stability.md'), 'utf8')
  const [named = ''] = /\*\*Experimental\*\* are today:.*?\n\n/s.exec(page) ?? []
  const marked = globSync('packages/*/api/*.api.md', { cwd: root }).flatMap((file) =>
    [
      ...readFileSync(join(root, file), 'utf8').matchAll(
        /^ *\/\/.* ?@experimental.*\n *(?:export (?:declare )?(?:function|interface|const|type|class) |readonly )?(\w+)/gm,
      ),
    ].map(([, name = '']) => name),
  )
  // Where they are handed out, and of what they are.
  const places = new Set(['expect', 'cleanup', 'TestRun'])
  const names = [...named.matchAll(/`(\w+)`/g)].flatMap(([, name = '']) => (places.has(name) ? [] : [name]))
  expect(names.toSorted()).toEqual(marked.toSorted())
})
