// What jest needs to read our sources: Node takes the types out, as it does elsewhere.
const { stripTypeScriptTypes } = require('node:module')

exports.process = (source) => ({ code: stripTypeScriptTypes(source) })
