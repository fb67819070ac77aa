/** The forms that `holdfast init` writes. */
export type ConfigTemplate = 'ts' | 'yaml'

/** A file of a first configuration. */
export interface TemplateFile {
  /** Relative to the directory. */
  readonly name: string
  readonly about: string
  readonly text: string
  readonly executable?: boolean | undefined
}

const script: TemplateFile = {
  name: 'scripts/backups/10-example.sh',
  about: 'a backup script',
  executable: true,
  text: `#!/bin/sh
# Runs in the hook "backups". Its exit code counts: anything but 0 fails the run.
set -eu

# Here goes your own, such as: pg_dump --format custom shop >"$dump"
dump=$(mktemp)
trap 'rm -f "$dump"' EXIT
date >"$dump"

# It becomes an artifact: compressed, with a digest, read back after it was written. It counts only if this script
# succeeds.
save_artifact example.txt "$dump"
`,
}

const hook: TemplateFile = {
  name: 'hooks/report.ts',
  about: 'a hook of your own',
  text: `import { defineHook } from '@holdfast/sdk'

// Runs at the end of every run, whatever became of it.
export default defineHook('onFinish', ({ outcome, log }) => {
  const bytes = outcome.targets.flatMap(({ points }) => points).reduce((sum, { size }) => sum + (size ?? 0), 0)
  log.info(\`\${outcome.status}: \${bytes} bytes\`)
})
`,
}

const configTs: TemplateFile = {
  name: 'holdfast.config.ts',
  about: 'the configuration',
  text: `import { scripts } from '@holdfast/plugin-scripts'
import { defineConfig } from '@holdfast/sdk'
import report from './hooks/report.ts'

export default defineConfig({
  plans: [
    {
      name: 'example',
      // Minute, hour, day of the month, month, weekday. \`holdfast schedule\` shows when that is.
      schedule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
      use: [
        // A directory per hook below this one: before_backups, backups, after_backups, on_error, …
        scripts({ path: './scripts' }),
        report,
      ],
      // The three newest, one of each of the last 14 days, one of each of the last 6 months.
      retention: { latest: 3, days: 14, months: 6 },
    },
  ],
})
`,
}

const configYaml: TemplateFile = {
  name: 'holdfast.yaml',
  about: 'the configuration',
  text: `# Where artifacts go. Without it: a directory in the state directory, which is lost with it.
# storage: file:///mnt/backups

plans:
  example:
    # Minute, hour, day of the month, month, weekday. \`holdfast schedule\` shows when that is.
    schedule:
      cron: '0 3 * * *'
      timeZone: Europe/Berlin
    use:
      # A directory per hook below this one: before_backups, backups, after_backups, on_error, …
      - '@holdfast/plugin-scripts#scripts': { path: ./scripts }
      - ./hooks/report.ts
    # The three newest, one of each of the last 14 days, one of each of the last 6 months.
    retention: { latest: 3, days: 14, months: 6 }
`,
}

/** What \`holdfast init\` writes. */
export const templates: Readonly<Record<ConfigTemplate, readonly TemplateFile[]>> = {
  ts: [configTs, hook, script],
  yaml: [configYaml, hook, script],
}
