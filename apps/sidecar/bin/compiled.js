// A bundle together with all that V8 has compiled of it. Node's own compile cache keeps of a CommonJS module what is run when
// it is loaded, and not the functions that are called later: for a command of 100 ms, compiling those is a part that counts.
'use strict'

const fs = require('fs')
const path = require('path')
const vm = require('vm')

/**
 * @param {string} file - a CommonJS bundle
 * @param {NodeRequire} require - what it is to require by
 * @returns {{ main(): void } | undefined} its exports; undefined where keep() has not run with this very bundle
 */
exports.load = (file, require) => {
  const kept = read(keptBeside(file))
  const source = kept && read(file)
  // What was compiled of another bundle would run as if it were this one's.
  if (!source || source.length >= kept.length || source.compare(kept, 0, source.length) !== 0) return undefined
  return run(compile(file, source, kept.subarray(source.length)), require)
}

/**
 * Runs a bundle as load() does, in the build of an image.
 *
 * @returns {{ exports: { main(): void }, keep(): void }} keep() keeps what has been compiled of it until then
 */
exports.prepare = (file, require) => {
  const source = fs.readFileSync(file)
  const script = compile(file, source)
  return {
    exports: run(script, require),
    keep() {
      fs.mkdirSync(path.dirname(keptBeside(file)), { recursive: true })
      fs.writeFileSync(keptBeside(file), Buffer.concat([source, script.createCachedData()]))
    },
  }
}

/** Where nobody can plant code who couldn't change the bundle itself. */
function keptBeside(file) {
  return path.join(path.dirname(file), '.cache', path.basename(file) + '.compiled')
}

/** Code of another Node, or for other flags, is not used: V8 checks that. */
function compile(file, source, code) {
  return new vm.Script('(function (exports, require, module) {' + source.toString() + '\n})', {
    filename: file,
    cachedData: code,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
}

function run(script, require) {
  const module = { exports: {} }
  script.runInThisContext()(module.exports, require, module)
  return module.exports
}

function read(file) {
  try {
    return fs.readFileSync(file)
  } catch {
    return undefined
  }
}
