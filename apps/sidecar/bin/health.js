// `holdfast health`: asks the daemon of a state directory how it is, through the socket that it has there
// (src/http/socket.ts). No dependencies and nothing loaded, because probes call it every few seconds; for a Node of any
// age, as everything that is called by launch.js.
'use strict'

var fs = require('fs')
var net = require('net')
var os = require('os')
var path = require('path')

/** A daemon that lets a probe wait for longer than this is as good as dead. */
var longestMs = 5000

/**
 * What the arguments ask for; undefined where they are not only those of a probe, and the bundle has to look at them.
 *
 * @param {string[]} words - what follows `holdfast health`
 * @param {Record<string, string | undefined>} env
 */
exports.parse = function parse(words, env) {
  var options = { question: undefined, stateDirectory: env.HOLDFAST_STATE_DIR || undefined }
  for (var i = 0; i < words.length; i++) {
    var word = words[i]
    if ((word === '--live' || word === '--ready') && options.question === undefined) options.question = word.slice(2)
    else if (word === '--state-dir' && words[i + 1]) options.stateDirectory = words[++i]
    else if (word.indexOf('--state-dir=') === 0 && word.length > 12) options.stateDirectory = word.slice(12)
    else return undefined
  }
  return {
    question: options.question || 'ready',
    stateDirectory: options.stateDirectory || defaultStateDirectory(env),
  }
}

/**
 * Asks, and calls back once.
 *
 * @param {{ question: 'live' | 'ready', stateDirectory: string }} options
 * @param {(answer: { code: 0 | 1, line: string, reasons: object[] }) => void} done - `line`: one line for people
 */
exports.ask = function ask(options, done) {
  var directory = options.stateDirectory
  var settled = false
  var received = ''
  var socket

  function settle(code, line, reasons) {
    if (settled) return
    settled = true
    clearTimeout(timer)
    if (socket) socket.destroy()
    done({ code: code, line: line, reasons: reasons || [] })
  }
  var timer = setTimeout(function () {
    settle(1, 'the daemon of ' + directory + ' does not answer within ' + longestMs / 1000 + ' s')
  }, longestMs)

  function failed(error) {
    var hints = {
      ENOENT: 'no daemon runs with the state directory ' + directory,
      ECONNREFUSED: 'no daemon runs with the state directory ' + directory + ' any more',
      EACCES: 'the daemon of ' + directory + ' may not be asked by this user',
    }
    settle(1, hints[error.code] || 'the daemon of ' + directory + ' can not be asked: ' + error.message)
  }

  try {
    // Through a link: where the state directory can have no socket, it has a link to one with a shorter path.
    socket = net.connect(fs.realpathSync(path.join(directory, 'http.sock')))
  } catch (error) {
    failed(error)
    return
  }
  socket.setEncoding('utf8')
  socket.on('error', failed)
  socket.on('data', function (chunk) {
    received += chunk
  })
  socket.on('close', function () {
    var answer = parseAnswer(received)
    if (answer === undefined) settle(1, 'the daemon of ' + directory + ' gave no answer')
    else if (answer.status === 200) settle(0, options.question === 'live' ? 'alive' : 'ready')
    else settle(1, whyNot(answer.reasons), answer.reasons)
  })
  socket.write(
    'GET /' +
      (options.question === 'live' ? 'healthz' : 'readyz') +
      ' HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\nconnection: close\r\n\r\n',
  )
}

function parseAnswer(text) {
  var status = /^HTTP\/1\.1 (\d{3}) /.exec(text)
  var body = text.indexOf('\r\n\r\n')
  if (status === null || body === -1) return undefined
  try {
    return { status: Number(status[1]), reasons: JSON.parse(text.slice(body + 4)).reasons || [] }
  } catch {
    return undefined
  }
}

/** The first reason in one line, and how many there are besides. */
function whyNot(reasons) {
  var first = reasons[0]
  if (first === undefined) return 'not ready'
  var more = reasons.length > 1 ? ' (and ' + (reasons.length - 1) + ' more)' : ''
  var what = first.code + ': ' + first.message + (first.hint ? '. ' + first.hint : '')
  return ('not ready: ' + what + more).replace(/[^!-~\u00a0-\uffff]+/g, ' ')
}

/** As src/settings.ts has it. */
function defaultStateDirectory(env) {
  var system = '/var/lib/holdfast'
  try {
    fs.accessSync(fs.existsSync(system) ? system : path.dirname(system), fs.constants.W_OK | fs.constants.X_OK)
    return system
  } catch {
    var home = env.XDG_STATE_HOME || path.join(env.HOME || os.homedir(), '.local/state')
    return path.join(home, 'holdfast')
  }
}
