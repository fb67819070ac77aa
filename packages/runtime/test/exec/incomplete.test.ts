import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { advanceUntil, testClock } from '@holdfast/testing'
import { failureOf, kill, scratch, setup } from './support.ts'

const directory = scratch()

it('data whose end nobody can know do not count: EXEC_INCOMPLETE, and no success', async () => {
  const file = join(directory, 'pid')
  const clock = testClock()
  const running = failureOf(
    setup({ clock }).exec.local({
      command: ['sh', '-c', `echo data; setsid sleep 86400 & echo $! > ${file}`],
      stdout: { write: async () => {} },
    }),
  )
  const error = await advanceUntil(clock, running, '500ms')
  kill(Number(readFileSync(file, 'utf8')))
  expect(error).toMatchObject({
    code: 'EXEC_INCOMPLETE',
    message: 'sh ended, but another process still holds its output open',
  })
})
