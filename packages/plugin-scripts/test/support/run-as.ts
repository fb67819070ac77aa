// Runs a set of scripts as whatever user it is started as, and prints what they print.
import { accessSync, constants } from 'node:fs'
import { createTestRun } from '@holdfast/testing'
import { scripts } from '../../src/index.ts'

const [path = '', stateDirectory = ''] = process.argv.slice(2)
for (const script of ['backups/direct', 'backups/option', 'on_error/env']) {
  try {
    accessSync(`${path}/${script}`, constants.X_OK)
    console.log(`${script} is executable for us`)
  } catch {
    // As it should be.
  }
}
console.log('none of them is executable for us')
const test = await createTestRun({ use: [scripts({ path })], stateDirectory })
await test.run()
for (const line of test.log) {
  const { msg, from } = JSON.parse(line) as { readonly msg: string; readonly from?: string }
  if (from !== undefined) console.log(msg)
}
await test.close()
