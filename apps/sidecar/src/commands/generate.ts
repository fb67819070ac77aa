import { configJsonSchema } from '@holdfast/runtime'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { formatJson } from '../output/format.ts'

/** `holdfast generate schema`: the JSON Schema of `holdfast.yaml`, with the options of the plugins that come along. */
export async function runGenerateCommand(context: CommandContext, _what: 'schema'): Promise<number> {
  const { scripts } = await import('@holdfast/plugin-scripts')
  const schema = await configJsonSchema({ '@holdfast/plugin-scripts#scripts': scripts })
  context.print(formatJson(schema))
  return exitCode.ok
}
