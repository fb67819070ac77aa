import { createHash } from 'node:crypto'
import { isHoldfastError, type HoldfastError } from '@holdfast/sdk'
import { describe, expect, test } from 'vitest'
import { parseCrontab } from '../../src/schedule/crontab.ts'

const asRoot = { environment: {}, user: 'root' }

function refusal(text: string): HoldfastError {
  try {
    parseCrontab(text, 'crontab', asRoot)
  } catch (error) {
    if (isHoldfastError(error)) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 6)

const benji = `PROM_PUSH_GATEWAY=:9191
BENJI_INSTANCE:-benji-east
15  * * * * root benji-backup-pvc --all-namespaces -l 'tier in (db,queue)'
40  */2 * * * root benji-backup-pvc --namespace web
10 02 * * * root benji-command enforce latest2,days14,months6 'labels["benji-backup.me/instance"] == "benji-east"'
20 02 * * * root benji-command cleanup
45 06 * * * root benji-versions-status
00 07 * * 0 root benji-command batch-deep-scrub --version-percentage 20 --block-percentage 50 'labels["benji-backup.me/instance"] == "benji-east"'`

describe('parseCrontab', () => {
  test("reads the form of Benji's container as it stands", () => {
    const { entries, variables, warnings } = parseCrontab(benji, 'crontab', asRoot)
    expect(warnings).toEqual([])
    expect(variables).toEqual({ PROM_PUSH_GATEWAY: ':9191', BENJI_INSTANCE: 'benji-east' })
    expect(entries.map(({ line, schedule, user }) => ({ line, schedule, user }))).toEqual([
      { line: 3, schedule: '15 * * * *', user: 'root' },
      { line: 4, schedule: '40 */2 * * *', user: 'root' },
      { line: 5, schedule: '10 02 * * *', user: 'root' },
      { line: 6, schedule: '20 02 * * *', user: 'root' },
      { line: 7, schedule: '45 06 * * *', user: 'root' },
      { line: 8, schedule: '00 07 * * 0', user: 'root' },
    ])
    expect(entries.map(({ column }) => column)).toEqual([18, 20, 18, 18, 18, 18])
    expect(entries[0]?.command).toBe("benji-backup-pvc --all-namespaces -l 'tier in (db,queue)'")
    expect(entries[2]?.command).toContain(`'labels["benji-backup.me/instance"] == "benji-east"'`)
    expect(entries[0]?.env).toEqual({ PROM_PUSH_GATEWAY: ':9191', BENJI_INSTANCE: 'benji-east' })
  })

  test('a plan is named after its command and the digest of its line, blanks normalised', () => {
    const { entries } = parseCrontab(benji, 'crontab', asRoot)
    expect(entries.map(({ planName }) => planName)).toEqual([
      `benji-backup-pvc-${hash("15 * * * * benji-backup-pvc --all-namespaces -l 'tier in (db,queue)'")}`,
      `benji-backup-pvc-${hash('40 */2 * * * benji-backup-pvc --namespace web')}`,
      expect.stringMatching(/^benji-command-[0-9a-f]{6}$/),
      `benji-command-${hash('20 02 * * * benji-command cleanup')}`,
      `benji-versions-status-${hash('45 06 * * * benji-versions-status')}`,
      expect.stringMatching(/^benji-command-[0-9a-f]{6}$/),
    ])
    // Other lines, other blanks, another user: the name stays.
    const moved = parseCrontab(
      '0 1 * * * root true\n\n20  02 *\t* * backup   benji-command   cleanup',
      'crontab',
      asRoot,
    )
    expect(moved.entries[1]?.planName).toBe(entries[3]?.planName)
  })

  test('a name can be given above the line, and paths and odd commands get a decent one', () => {
    const { entries } = parseCrontab(
      `# holdfast: name=nightly\n# a remark\n\n0 3 * * * root /usr/local/bin/backup.sh --all\n0 4 * * * root /usr/local/bin/backup.sh --all\n0 5 * * * root LANG=C "/opt/my dump" x\n0 6 * * * root (cd /; ls)\n`,
      'crontab',
      asRoot,
    )
    expect(entries.map(({ planName }) => planName.replace(/[0-9a-f]{6}$/, '…'))).toEqual([
      'nightly',
      'backup.sh-…',
      'my-…',
      'cd-…',
    ])
  })

  test.each(['true\n', 'true'])('the final line break may be missing: %j', (command) => {
    expect(parseCrontab(`@daily root ${command}`, 'crontab', asRoot).entries).toMatchObject([
      { schedule: '@daily', command: 'true', line: 1 },
    ])
  })

  test('an empty file, and one of blanks and comments, has no entries', () => {
    expect(parseCrontab('', 'crontab', asRoot)).toEqual({ entries: [], variables: {}, warnings: [] })
    expect(parseCrontab('\uFEFF# m h dom mon dow user command\n \t\n  # x', 'crontab', asRoot).entries).toEqual([])
  })

  test('the user of our images is called as our command is', () => {
    const text = '0 3 * * * holdfast benji-backup-pvc\n0 4 * * * holdfast /opt/run it\n'
    const { entries, warnings } = parseCrontab(text, 'crontab', { environment: {}, user: 'holdfast' })
    expect(entries.map(({ user, command }) => [user, command])).toEqual([
      ['holdfast', 'benji-backup-pvc'],
      ['holdfast', '/opt/run it'],
    ])
    expect(warnings).toEqual([])
  })

  test('an unescaped percent sign ends the command, the rest is its standard input', () => {
    const { entries } = parseCrontab(
      `0 1 * * * root date +\\%F > /tmp/x\n0 2 * * * root cat > /tmp/y%one%two\\%%\n0 3 * * * root cat%\n0 4 * * * root printf '\\%s\\n' a\\\\%b\n`,
      'crontab',
      asRoot,
    )
    expect(entries.map(({ command, stdin }) => ({ command, stdin }))).toEqual([
      { command: 'date +%F > /tmp/x', stdin: undefined },
      { command: 'cat > /tmp/y', stdin: 'one\ntwo%\n' },
      { command: 'cat', stdin: undefined },
      { command: String.raw`printf '%s\n' a\\`, stdin: 'b\n' },
    ])
  })

  test('variables hold for the lines below them; quotes keep blanks; defaults give way to the environment', () => {
    const { entries, variables, warnings } = parseCrontab(
      `SHELL = /bin/bash\nPATH=/usr/bin:/bin\nGREETING="  hi there "\nA:-one\nB:-two\n0 1 * * * root first\nPATH=/opt/bin\n0 2 * * * root second\n`,
      'crontab',
      { environment: { B: 'of the pod', C: 'x' }, user: 'root' },
    )
    expect(warnings).toEqual([])
    const common = { SHELL: '/bin/bash', GREETING: '  hi there ', A: 'one', B: 'of the pod' }
    expect(entries.map(({ env }) => env)).toEqual([
      { ...common, PATH: '/usr/bin:/bin' },
      { ...common, PATH: '/opt/bin' },
    ])
    expect(variables['PATH']).toBe('/opt/bin')
  })

  test('CRON_TZ, else TZ, is the zone of the lines below it', () => {
    const { entries } = parseCrontab(
      `0 1 * * * root a\nTZ=Asia/Kolkata\n0 1 * * * root b\nCRON_TZ=Europe/Berlin\n0 1 * * * root c\n`,
      'crontab',
      asRoot,
    )
    expect(entries.map(({ timeZone }) => timeZone)).toEqual([undefined, 'Asia/Kolkata', 'Europe/Berlin'])
    expect(refusal('CRON_TZ=Europe/Berln\n0 1 * * * root c').message).toContain(
      'crontab:2:1: the time zone "Europe/Berln"',
    )
  })

  test('warns of mail, other users, CR LF, comments behind values and names without a line', () => {
    const { entries, warnings } = parseCrontab(
      `MAILTO=ops@example.com\r\nKEEP=3 # days\r\n0 1 * * * backup a\r\n0 2 * * * backup b\r\n# holdfast: name=lost\r\n`,
      'crontab',
      asRoot,
    )
    expect(entries.map(({ command }) => command)).toEqual(['a', 'b'])
    expect(warnings.map(({ message }) => message)).toEqual([
      'crontab:1: lines end with CR LF',
      'crontab:1: MAILTO is not used: no mail is sent',
      'crontab:2: the value of KEEP contains what looks like a comment',
      'crontab:3: commands of user "backup" run as "root"',
      'crontab:5: the name "lost" has no line below it',
    ])
    expect(parseCrontab('MAILTO=""\n', 'crontab', asRoot).warnings).toEqual([])
  })
})

describe('a crontab that is refused', () => {
  test.each([
    ['0 3 * * * fridge -r', 'crontab:1:11: "fridge" stands where the user belongs', /user column seems to be missing/],
    ['0 3 * * * holdfast run shop', 'crontab:1:11: "holdfast" stands where the user belongs', /user column seems/],
    ['0 3 * * * tar -czf x y', 'crontab:1:11: "tar" stands where the user belongs', /user column seems to be missing/],
    ['0 3 * * * benji-command enforce latest3', 'crontab:1:11: "benji-command" stands', /user column seems/],
    ['0 3 * * * /opt/backup.sh --all', 'crontab:1:11: "/opt/backup.sh" is not a user name', /user column seems/],
    ['0 3 * * * backup.sh', 'crontab:1:20: the line ends before the command', /user column seems/],
    ['0 3 * * *', 'crontab:1:10: the line ends before the command', /USER COMMAND/],
    ['@daily', 'crontab:1:7: the line ends before the command', /USER COMMAND/],
    ['*/5 * * * * * root true', 'crontab:1:13: the schedule has six fields', /Seconds are not supported/],
    ['  0 25 * * * root true', 'crontab:1:5: "0 25 * * *" is not a cron expression: hour "25"', /0-23/],
    ['\n0 0 31 2 * root true', 'crontab:2:1: the schedule "0 0 31 2 *" never fires', /No backup would ever run/],
    ['@reboot root true', 'crontab:1:1: "@reboot" is not a cron expression', /when a backup is due/],
    ['hello world', 'crontab:1:1: this is no schedule, no variable and no comment', /NAME=value/],
    ['A="x', 'crontab:1:3: the value of A has an unmatched quote', /closing quote/],
    ['# holdfast: nmae=x\n0 3 * * * root true', 'crontab:1:13: "nmae=x" is not a setting', /name=NAME/],
  ])('%j', (text, message, hint) => {
    const error = refusal(text)
    expect(error.code).toBe('CRONTAB_INVALID')
    expect(error.message).toContain(message)
    expect(error.hint).toMatch(hint)
  })

  test('a second identical line, and a second line of one name, are errors that name both', () => {
    const twice = refusal('0 3 * * * root true\n\n0  3 * * *  other  true\n')
    expect({ code: twice.code, message: twice.message }).toEqual({
      code: 'CRONTAB_DUPLICATE',
      message: `crontab: lines 1 and 3 are both the plan "true-${hash('0 3 * * * true')}"`,
    })
    const named = refusal('# holdfast: name=a\n0 3 * * * root x\n# holdfast: name=a\n0 4 * * * root y\n')
    expect(named.message).toBe('crontab: lines 2 and 4 are both the plan "a"')
  })

  test('everything that is wrong is said at once', () => {
    const error = refusal('0 25 * * * root a\n0 3 * * * root b\nnonsense\n0 3 * * * root b\n')
    expect(error.details['problems']).toMatchObject([
      { code: 'CRONTAB_INVALID', file: 'crontab', line: 1, column: 3 },
      { code: 'CRONTAB_INVALID', file: 'crontab', line: 3, column: 1 },
      { code: 'CRONTAB_DUPLICATE', file: 'crontab', line: 4, column: 1 },
    ])
  })
})
