import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createSecrets } from '../../src/secrets.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'

const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe('secrets', () => {
  it('are read from a variable at each use, and known to the redactor from then on', async () => {
    const redactor = createRedactor()
    const env: NodeJS.ProcessEnv = { TOKEN: 'canary-1' }
    const secrets = createSecrets({ redactor, env })
    const first = await secrets.open({ env: 'TOKEN' })
    env['TOKEN'] = 'canary-2'
    const second = await secrets.open({ env: 'TOKEN' })
    expect([first.reveal(), second.reveal()]).toEqual(['canary-1', 'canary-2'])
    expect(`${String(first)} ${JSON.stringify({ second })}`).toBe('[secret] {"second":"[secret]"}')
    expect(redactor.text('canary-1 canary-2')).toBe('[redacted] [redacted]')
  })

  it('are read from a file without its last newline', async () => {
    const redactor = createRedactor()
    const file = join(directory, 'token')
    const secrets = createSecrets({ redactor, env: {} })
    for (const [content, value] of [
      ['canary-3\n', 'canary-3'],
      ['canary-4\r\n', 'canary-4'],
      ['two\nlines\n\n', 'two\nlines\n'],
    ] as const) {
      writeFileSync(file, content)
      expect((await secrets.open({ file })).reveal()).toBe(value)
    }
    expect(redactor.text('canary-3')).toBe('[redacted]')
  })

  it('that are missing are named by where they should be, never by value', async () => {
    const secrets = createSecrets({ redactor: createRedactor(), env: { EMPTY: '' } })
    const file = join(directory, 'absent')
    await expect(secrets.open({ env: 'NOPE' })).rejects.toMatchObject({
      code: 'SECRET_MISSING',
      message: 'the secret in the variable NOPE is not there',
    })
    await expect(secrets.open({ env: 'EMPTY' })).rejects.toMatchObject({ code: 'SECRET_MISSING' })
    await expect(secrets.open({ file })).rejects.toMatchObject({
      code: 'SECRET_MISSING',
      details: { where: `in the file ${file}` },
    })
  })
})
