import type { Awaitable, HoldfastConfig } from '@holdfast/sdk'
import { parseCrontab, type Crontab } from '../schedule/crontab.ts'
import type { ConfigDraft } from './draft.ts'
import type { Problems } from './problems.ts'
import { readConfigText } from './read-text.ts'

/** Makes plans of a crontab's lines. */
export type CrontabForm = (crontab: Crontab, file: string) => Awaitable<HoldfastConfig>

/**
 * Reads a crontab; its warnings are among the problems.
 *
 * @throws HoldfastError `CONFIG_UNREADABLE`, `CRONTAB_INVALID`, `CRONTAB_DUPLICATE`
 */
export async function loadCrontab(
  file: string,
  environment: NodeJS.ProcessEnv,
  form: CrontabForm,
  problems: Pick<Problems, 'warn'>,
): Promise<ConfigDraft> {
  const crontab = parseCrontab(await readConfigText(file), file, { environment })
  for (const warning of crontab.warnings) problems.warn(warning)
  const value = await form(crontab, file)
  return {
    form: 'crontab',
    source: file,
    value,
    exported: new Map(),
    // A plan is where the line is that it was made of.
    locate([, index]) {
      const name = typeof index === 'number' ? value.plans[index]?.name : undefined
      return { file, line: crontab.entries.find(({ planName }) => planName === name)?.line }
    },
  }
}
