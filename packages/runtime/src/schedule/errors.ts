import { defineErrors } from '@holdfast/sdk'

/** What is wrong with a schedule, or with the clock that it goes by. */
export const scheduleErrors = defineErrors(
  {
    CRON_INVALID: {
      message: (p: { expression: string; reason: string }) => `"${p.expression}" is not a cron expression: ${p.reason}`,
      hint: (p: { allowed: string; field?: number }) => `Nothing is scheduled until this is corrected. ${p.allowed}`,
    },
    CRON_NEVER: {
      message: (p: { expression: string }) => `the schedule "${p.expression}" never fires: no such day exists`,
      hint: 'No backup would ever run. Check the day of the month against the month.',
    },
    TIME_ZONE_UNKNOWN: {
      message: (p: { zone: string }) => `the time zone "${p.zone}" is not known`,
      hint: (p: { meant?: string; tzdataMissing: boolean }) =>
        p.tzdataMissing
          ? 'Nothing is scheduled: backups would run at the wrong time. This machine has no time zone data (tzdata) at all; use an image that has it, or set the zone to UTC.'
          : `Nothing is scheduled: backups would run at the wrong time. ${p.meant === undefined ? '' : `Did you mean "${p.meant}"? `}Use an IANA name such as Europe/Berlin.`,
    },
    CLOCK_JUMPED: {
      message: (p: { by: string; direction: 'forward' | 'back' }) => `the clock jumped ${p.direction} by ${p.by}`,
      hint: 'Slots that were passed over are counted and follow the misfire policy; none is run twice. Check the time synchronisation of the node.',
    },
    CRONTAB_INVALID: {
      message: (p: { file: string; line: number; column: number; reason: string }) =>
        `${p.file}:${p.line}:${p.column}: ${p.reason}`,
      hint: (p: { advice: string }) => `Nothing of this file is scheduled until it is corrected. ${p.advice}`,
    },
    CRONTAB_WARNING: {
      message: (p: { file: string; line: number; what: string }) => `${p.file}:${p.line}: ${p.what}`,
      hint: (p: { advice: string }) => `The plan is scheduled all the same. ${p.advice}`,
    },
    CRONTAB_DUPLICATE: {
      message: (p: { file: string; line: number; first: number; plan: string }) =>
        `${p.file}: lines ${p.first} and ${p.line} are both the plan "${p.plan}"`,
      hint: 'Nothing of this file is scheduled until it is corrected. Remove one of them, or give one a name of its own with a line `# holdfast: name=NAME` above it.',
    },
  },
  'docs/errors.md',
)
