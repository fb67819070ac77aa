import { expect, test } from 'vitest'
import { filesOf, findStale, fits, pagesToRun, stepsOf } from './transcripts.ts'

const page = `# A page

<!-- setup
mkdir -p shop; echo 'nobody reads this'; export WHO=you
-->

<!-- file: shop/greet, executable -->

\`\`\`sh
#!/bin/sh
echo "hello, $1, from /home/operator"
\`\`\`

<!-- run -->

\`\`\`console
$ shop/greet \\
  "$WHO"
hello, you, from /home/operator
$ cd shop
\`\`\`

\`\`\`console
$ not run
\`\`\`

<!-- run -->

\`\`\`sh
# in shell
greeted=$(./greet \\
  me) # not shown
\`\`\`

<!-- setup
[ "$greeted" = 'hello, me, from /home/operator' ]
-->

<!-- run -->

\`\`\`console
$ basename "$PWD"
shop
\`\`\`
`

test('commands and files of a page are found', () => {
  expect(stepsOf(page)).toEqual([
    { command: "mkdir -p shop; echo 'nobody reads this'; export WHO=you\n", output: undefined, numbersDiffer: false },
    { command: 'shop/greet \\\n  "$WHO"', output: 'hello, you, from /home/operator\n', numbersDiffer: false },
    { command: 'cd shop', output: '', numbersDiffer: false },
    { command: 'greeted=$(./greet \\\n  me) # not shown', output: undefined, numbersDiffer: false },
    { command: `[ "$greeted" = 'hello, me, from /home/operator' ]\n`, output: undefined, numbersDiffer: false },
    { command: 'basename "$PWD"', output: 'shop\n', numbersDiffer: false },
  ])
  expect(filesOf(page).map(({ name, mode }) => [name, mode])).toEqual([['shop/greet', 0o755]])
})

test('a page that is as it is has nothing stale: files are there, and a directory stays', () => {
  expect(findStale(page)).toEqual([])
})

test('another output and a failure are found', () => {
  const changed = page.replace('hello, you', 'hello, me').replace('cd shop', 'cd shop && false')
  expect(findStale(changed)).toEqual([
    '$ shop/greet \\\n  "$WHO" prints\nhello, you, from /home/operator\n',
    expect.stringContaining('$ cd shop && false: exit code 1'),
  ])
})

test('what readers do not see has to end well, too, and finds the directories of the page where it is', () => {
  const places =
    '<!-- places: /data, /srv/app -->\n\n<!-- setup\necho a >/data/b; ls /srv/app/ /data; test -e /data/b\n-->\n'
  expect(findStale(places)).toEqual([])
  expect(findStale(places.replace('test -e /data', 'test -e /srv/app'))).toEqual([
    expect.stringContaining('exit code 1\n/data:\nb\n\n/srv/app/:\n'),
  ])
})

test('times, ids and how long it took may differ, words and numbers may not', () => {
  const shown = { output: '→  2026-11-26 03:27:00  308 ms  10.0 KiB  2 files  20261126T032659Z-d15327e2' }
  const other = '→  2027-01-01 00:00:00  1.2 s  9 B  2 files  20270101T000000Z-00000000\n'
  expect(fits(shown, other)).toBe(true)
  expect(fits(shown, other.replace('2 files', '3 files'))).toBe(false)
  expect(fits({ ...shown, numbersDiffer: true }, other.replace('2 files', '3 files'))).toBe(true)
  expect(fits({ output: 'one\n…\nlast' }, 'one\na\nb\nlast')).toBe(true)
  expect(fits({ output: 'one\n…\nlast' }, 'one\na\nb')).toBe(false)
})

test('the pages that are run are there', () => {
  expect(pagesToRun()).toEqual(expect.arrayContaining(['docs/start/scripts.md', 'docs/start/typescript.md']))
})
