import { defineErrors } from '@holdfast/sdk'

/** Why a command, here or in a container, does not count as done. */
export const execErrors = defineErrors(
  {
    EXEC_FAILED: {
      message: (p: { command: string; exitCode: number; stderrTail: string }) =>
        `${p.command} failed with exit code ${p.exitCode}${said(p.stderrTail)}`,
      hint: (p) => exitCodeHint(p.exitCode),
    },
    EXEC_SIGNAL: {
      message: (p: { command: string; signal: string; stderrTail: string }) =>
        `${p.command} was killed by ${p.signal}${said(p.stderrTail)}`,
      hint: (p) => signalHint(p.signal),
    },
    EXEC_TIMEOUT: {
      message: (p: { command: string; after: string; stderrTail: string }) =>
        `${p.command} did not finish within ${p.after} and was stopped${said(p.stderrTail)}`,
      hint: 'What it was doing is unfinished. Give it more time with `timeout`, or find out what it waits for.',
      retryable: true,
    },
    EXEC_IDLE: {
      message: (p: { command: string; after: string; stderrTail: string }) =>
        `${p.command} printed nothing for ${p.after} and was stopped${said(p.stderrTail)}`,
      hint: 'What it was doing is unfinished. Find out what it waits for; if it is silent for so long by nature, raise `idleTimeout`.',
      retryable: true,
    },
    EXEC_ABORTED: {
      message: (p: { command: string; reason: string; stderrTail: string }) => `${p.command} was stopped: ${p.reason}`,
      hint: 'What it was doing is unfinished. The reason is that of the run or hook it belonged to.',
    },
    EXEC_NOT_FOUND: {
      message: (p: { command: string; missing: string }) => `${p.command} cannot be started: ${p.missing}`,
      hint: 'Nothing was run. Install what is missing, or correct the path; names without a slash are looked up in PATH.',
    },
    EXEC_NOT_EXECUTABLE: {
      message: (p: { command: string; reason: string }) => `${p.command} cannot be started: ${p.reason}`,
      hint: 'Nothing was run. Make it executable (chmod +x; in a ConfigMap volume defaultMode: 0755).',
    },
    EXEC_FORMAT: {
      message: (p: { command: string; reason: string }) => `${p.command} cannot be started: ${p.reason}`,
      hint: 'Nothing was run. Begin a script with #! and its interpreter, such as #!/bin/sh; a program must be built for this machine.',
    },
    EXEC_START: {
      message: (p: { command: string; reason: string }) => `${p.command} cannot be started: ${p.reason}`,
      hint: 'Nothing was run. The machine refused: too many processes or open files, no memory, or arguments that are too long.',
      retryable: true,
    },
    EXEC_REQUEST: {
      message: (p: { command: string; reason: string }) => `${p.command} was not started: ${p.reason}`,
      hint: 'Nothing was run. This is a mistake in the hook or plugin that asked for it.',
    },
    EXEC_SECRET_IN_ARGV: {
      message: (p: { command: string; position: number }) =>
        `${p.command} was not started: its argument ${p.position} holds a secret`,
      hint: 'Nothing was run. Everybody on the machine can read arguments: pass the secret by `env` or `stdin`, or in a file.',
    },
    EXEC_SINK: {
      message: (p: { command: string; from: string; reason: string; stderrTail: string }) =>
        `the ${p.from} of ${p.command} could not be taken: ${p.reason}`,
      hint: 'The command was stopped and its output does not count. The cause says who failed.',
    },
    EXEC_STDIN: {
      message: (p: { command: string; reason: string; stderrTail: string }) =>
        `the input of ${p.command} failed: ${p.reason}`,
      hint: 'The command was stopped before it could take a part for the whole. The cause says what failed.',
    },
    EXEC_INCOMPLETE: {
      message: (p: { command: string; stderrTail: string }) =>
        `${p.command} ended, but another process still holds its output open`,
      hint: 'Whether all bytes arrived cannot be known, so they do not count. Make the command wait for what it starts in the background.',
    },
    EXEC_OUTPUT_TOO_LARGE: {
      message: (p: { command: string; limit: string; stderrTail: string }) =>
        `${p.command} printed more than ${p.limit}`,
      hint: 'It was stopped: output kept as text must stay small. Give `stdout` a sink, or set it to "log".',
    },
    EXEC_NO_LINE: {
      message: (p: { command: string; reason: string }) => `${p.command} did not print the awaited line: ${p.reason}`,
      hint: 'What it was asked to do may not have happened. Its output and its end say more.',
    },
    EXEC_NO_CLUSTER: {
      message: (p: { where: string }) => `no command can be run in ${p.where}: there is no access to a cluster`,
      hint: 'Nothing was run. Commands in containers need Kubernetes and a service account that may exec.',
    },
    EXEC_NO_POD: {
      message: (p: { command: string; reason: string }) => `${p.command} was not started: ${p.reason}`,
      hint: 'Nothing was run. Check the name or the selector, and the namespace; a pod that was replaced has another name.',
    },
    EXEC_MANY_PODS: {
      message: (p: { command: string; selector: string; found: string }) =>
        `${p.command} was not started: ${p.selector} matches more than one running pod: ${p.found}`,
      hint: 'Nothing was run. Which of them is meant is not guessed: name the pod, or add labels until one is left.',
    },
    EXEC_NO_CONTAINER: {
      message: (p: { command: string; reason: string }) => `${p.command} was not started: ${p.reason}`,
      hint: 'Nothing was run. Correct the name of the container.',
    },
    EXEC_NOT_RUNNING: {
      message: (p: { command: string; reason: string }) => `${p.command} was not started: ${p.reason}`,
      hint: 'Nothing was run. A command needs a container that runs: find out why this one does not (kubectl describe pod), and try again.',
      retryable: true,
    },
    EXEC_NO_SHELL: {
      message: (p: { command: string; wanted: string; reason: string }) =>
        `${p.command} was not started: ${p.wanted} needs /bin/sh in the container: ${p.reason}`,
      hint: 'Nothing was run. Use an image with a shell, or do without: no env, no cwd, and integrity "status".',
    },
    EXEC_NO_TOOL: {
      message: (p: { command: string; tool: string; wanted: string }) =>
        `${p.command} was not started: ${p.wanted} needs ${p.tool}, which its container does not have`,
      hint: 'Nothing was run. Install it in the image, or ask for less: integrity "bytes" needs tee and wc, "sha256" tee and sha256sum.',
    },
    EXEC_NO_HALF_CLOSE: {
      message: (p: { command: string; reason: string }) =>
        `${p.command} was not started: the cluster cannot pass on the end of its input: ${p.reason}`,
      hint: 'Nothing was run: the command would have lost what it prints after the end. Input needs v5.channel.k8s.io, which API servers speak from Kubernetes 1.30 on; put the input into a file in the container instead.',
    },
    EXEC_FORBIDDEN: {
      message: (p: { command: string; verb: string; what: string; rule: string; said: string }) =>
        `${p.command} was not started: the API server does not allow to ${p.verb} ${p.what}`,
      hint: (p) =>
        `Nothing was run. Whoever Holdfast runs as needs this rule: ${p.rule}. If it has that, an admission policy says no: ${p.said}`,
    },
    EXEC_UNAUTHORIZED: {
      message: (p: { command: string; source: string }) =>
        `${p.command} was not started: the API server does not know ${p.source}`,
      hint: 'Nothing was run. The token or certificate is expired, revoked, or of another cluster; it was read again before this was said.',
      retryable: true,
    },
    EXEC_REFUSED: {
      message: (p: { command: string; status: number; said: string }) =>
        `${p.command} was not started: the API server refused it (HTTP ${p.status}): ${p.said}`,
      hint: "Nothing was run. The message is the server's own, or that of a proxy before it; 431 and 414 mean that the arguments are too long for it.",
    },
    EXEC_UNREACHABLE: {
      message: (p: { command: string; reason: string }) => `${p.command} was not started: ${p.reason}`,
      hint: 'It was tried again until the time for it was up. Nothing was run, unless the connection was lost just when a command without a shell was started. Backups in containers fail while this lasts.',
      retryable: true,
    },
    EXEC_LOST: {
      message: (p: { command: string; reason: string; stderrTail: string }) =>
        `the connection to ${p.command} was lost before it was known how it ended: ${p.reason}`,
      hint: 'Its output does not count. `remote` in the details says whether it could be ended in its container.',
      retryable: true,
    },
    EXEC_TRUNCATED: {
      message: (p: { command: string; reason: string; stderrTail: string }) =>
        `the output of ${p.command} did not arrive whole: ${p.reason}`,
      hint: 'Whatever its exit code, what arrived is not what it wrote, so it does not count. Try again; if it comes again, look for what cuts connections between here and the node. Of a command with input the API server loses the end when its output is taken slowly (kubernetes#124571): hand the input over by `env` or in a file, then it can wait.',
      retryable: true,
    },
    EXEC_UNPROVEN: {
      message: (p: { command: string; stderrTail: string }) =>
        `whether the output of ${p.command} arrived whole cannot be known: it came faster than it was taken, and its container has no shell that could tell`,
      hint: 'The API server loses the end of such output at times and says that all is well (kubernetes#124571), so it does not count. Use an image with /bin/sh; or let the command write to a volume, and back that up.',
      retryable: true,
    },
    EXEC_STATUS: {
      message: (p: { command: string; reason: string; stderrTail: string }) =>
        `it is not known how ${p.command} ended: ${p.reason}`,
      hint: 'Its output does not count. The cluster answered with something else than an exit code; the message is its own.',
      retryable: true,
    },
  },
  'docs/errors.md',
)

/** The last line that a command printed is mostly why it failed. */
function said(tail: string): string {
  const line = tail.trimEnd().split('\n').at(-1)?.trim() ?? ''
  if (line === '') return ''
  return `: ${line.length > 200 ? `${line.slice(0, 200).toWellFormed()}…` : line}`
}

function exitCodeHint(exitCode: number): string {
  const unfinished = 'What it was doing did not succeed.'
  if (exitCode === 126) return `${unfinished} 126 is what shells say when a command in a script is not executable.`
  if (exitCode === 127) return `${unfinished} 127 is what shells say when a command in a script was not found.`
  if (exitCode === 137) return `${unfinished} 137 means killed (128 + 9): it probably ran out of memory.`
  if (exitCode === 141) return `${unfinished} 141 means that whoever reads its output stopped reading (128 + SIGPIPE).`
  return `${unfinished} Its own messages are in the log, the last of them in stderrTail.`
}

function signalHint(signal: string): string {
  const unfinished = 'What it was doing is unfinished.'
  if (signal === 'SIGKILL') return `${unfinished} It probably ran out of memory: raise the memory limit.`
  if (signal === 'SIGPIPE') {
    return `${unfinished} Whoever reads its output stopped reading first. If that is right, list 141 in okExitCodes.`
  }
  return `${unfinished} Find out who sent the signal; SIGSEGV, SIGABRT and SIGBUS are crashes of the program itself.`
}
