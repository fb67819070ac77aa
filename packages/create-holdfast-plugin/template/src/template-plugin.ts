import { definePlugin, type PluginFactory } from '@holdfast/sdk'
import { optionsSchema, type TemplatePluginOptions } from './options.ts'
import { pause, resume } from './pause.ts'

/**
 * Backs up a directory with tar, while the application writes nothing.
 *
 * @param options - what is backed up
 * @param instance - a name, where a plan uses it twice
 */
export const templatePlugin: PluginFactory<TemplatePluginOptions> = definePlugin({
  name: 'template-plugin',
  version: '0.1.0',
  sdk: '^1.0',
  config: optionsSchema,
  undos: [resume],

  // What a run would do, for `holdfast plan`.
  describe: ({ config: { path, pauseFile } }) => [
    ...(pauseFile === undefined ? [] : [{ kind: 'undo' as const, what: 'pauses the application', where: pauseFile }]),
    { kind: 'exec', what: 'tar', where: path },
    { kind: 'artifact', what: 'files.tar' },
  ],

  hooks: {
    // Looks, and changes nothing: before each run, and whenever somebody asks.
    validate: ({ exec }) => exec.local({ command: ['tar', '--version'] }),

    beforeBackups: pause,

    // An artifact comes of it only when tar ended well and every byte is stored.
    backups: ({ config: { path }, createArtifact, exec }) =>
      createArtifact('files.tar', (stdout) =>
        exec.local({ command: ['tar', '--create', '--file=-', `--directory=${path}`, '.'], stdout }),
      ),
  },
})
