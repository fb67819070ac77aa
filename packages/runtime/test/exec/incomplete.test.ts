import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { failureOf, kill, scratch, setup } from './support.ts'

const directory = scratch()

it('data whose end nobody can know do not count: EXEC_INCOMPLETE, and no success', async () => {
  const file = join(directory, 'pid')
  const error = await failureOf(
    setup().exec.local({
      command: ['sh', '-c', `echo data; setsid sleep 60 & echo $! > ${file}`],
      stdout: { write: async () => {} },
    }),
  )
  kill(Number(readFileSync(file, 'utf8')))
  expect(error).toMatchObject({
    code: 'EXEC_INCOMPLETE',
    message: 'sh ended, but another process still holds its output open',
  })
})
