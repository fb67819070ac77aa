import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PluginFactory } from '@holdfast/sdk'
import { labelOf, type PluginCall } from './calls.ts'
import type { PluginCase } from './plugin-case.ts'
import { inspect } from './quiet-checks.ts'
import { eachCall, runWell, setStage, type Stage } from './stage.ts'

/** A secret of less than this is found everywhere. */
const shortest = 4

/** A secret that the plugin opens is in nothing that others can read, however well or badly its runs go. */
export async function tellsNoSecret<Options>(
  factory: PluginFactory<Options>,
  pluginCase: PluginCase<Options>,
): Promise<void> {
  await using stage = await setStage(factory, pluginCase)
  const described = await inspect(stage)
  const results: unknown[] = [[...described]]
  const { outcome } = await runWell(stage)
  results.push(shown(outcome))
  await stage.restore(outcome)
  await eachCall(
    ({ hook, kind }) => kind === 'exec' && hook !== 'undo',
    async (fails) => {
      stage.rehearse({ fails })
      results.push(shown((await stage.run()).outcome))
    },
  )
  const outputs = [...(await outputsOf(stage)), ['what a run or describe says', JSON.stringify(results)] as const]
  for (const secret of new Set([...stage.opened, ...(stage.world.secrets ?? [])])) {
    if (secret.length < shortest) continue
    for (const [where, text] of outputs) {
      const form = formsOf(secret).find((each) => text.includes(each))
      if (form !== undefined) throw new Error(`a secret of this case is in ${where}: ${around(text, form)}`)
    }
  }
}

async function outputsOf(stage: Stage): Promise<readonly (readonly [where: string, text: string])[]> {
  const { test, calls, world } = stage
  const stored: string[] = []
  const { signal } = new AbortController()
  for await (const { key } of test.storage.list('', { signal })) stored.push(key)
  return [
    ...calls.flatMap((call): (readonly [string, string])[] => [
      ...(call.command ? [[`the arguments of ${labelOf(call)}`, call.command.join('\n')] as const] : []),
      ...(call.meta === undefined ? [] : [[`what is stored by ${labelOf(call)}`, metaOf(call)] as const]),
    ]),
    ['the log', test.log.join('\n')],
    ['events', JSON.stringify(test.events.map(shown))],
    ['metrics', await test.metrics.text()],
    ['names in the store', stored.join('\n')],
    ['requests to the API server', JSON.stringify(world.cluster?.requests.map(({ path, body }) => [path, body]) ?? [])],
    ...filesBelow(test.stateDirectory).map((file) => [`the state: ${file}`, readFileSync(file, 'latin1')] as const),
  ]
}

function metaOf({ meta }: PluginCall): string {
  return JSON.stringify(meta)
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )
}

/** With what errors say, which JSON leaves out. */
function shown(value: unknown): unknown {
  if (value instanceof Error) {
    const { message, cause, stack } = value
    return { ...Object.fromEntries(Object.entries(value)), message, stack, cause: shown(cause) }
  }
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  if ('toJSON' in value) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shown(each)]))
}

function formsOf(secret: string): readonly string[] {
  const quoted = JSON.stringify(secret).slice(1, -1)
  return [secret, quoted, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '')]
}

/** What is around it, but not the secret itself: the message of a test is an output, too. */
function around(text: string, form: string): string {
  const at = text.indexOf(form)
  return `${text.slice(Math.max(0, at - 40), at)}[secret]`.replaceAll(/\s+/g, ' ')
}
