export { templatePlugin } from './template-plugin.ts'
export type { TemplatePluginOptions } from './options.ts'
