// The tables of options say what there is.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backupSchema } from '../src/backup/options.ts'
import { benjiCommand } from '../src/command/benji-command.ts'
import { engineSchema } from '../src/engine.ts'
import { freezeSchema } from '../src/freeze/options.ts'
import { enforceSchema } from '../src/maintenance/enforce.ts'
import { scrubSchema } from '../src/maintenance/scrub.ts'

const page = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')

/** What the tables of a section name in one of their columns. */
function namedIn(heading: string, column = 1): readonly string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.flatMap((row) => [...(row.split('|')[column] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
}

const keys = (schema: { readonly shape: object }): readonly string[] => Object.keys(schema.shape)
const below = (name: string, of: readonly string[]): readonly string[] => of.map((key) => `${name}.${key}`)

test('of a backup', () => {
  const all = [...keys(backupSchema).filter((key) => key !== 'freeze'), ...below('freeze', keys(freezeSchema))]
  expect(namedIn('`benjiBackup`').toSorted()).toEqual(all.toSorted())
})

test('of the others', () => {
  const command = keys(benjiCommand.definition.config as unknown as { readonly shape: object })
  const all = [...keys(enforceSchema), ...keys(scrubSchema), ...command]
  expect(new Set(namedIn('`benjiEnforce`', 2))).toEqual(new Set(all))
})

test('of the engine', () => {
  const { ceph, ...rest } = engineSchema.shape
  expect(namedIn('`engine`').toSorted()).toEqual(
    [...Object.keys(rest), ...below('ceph', keys(ceph.unwrap()))].toSorted(),
  )
})
