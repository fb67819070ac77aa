// Runs after an install. npm 10, which comes with Node 20 and 22, drops the Node package of the other processor and
// with it the link `node_modules/.bin/node`, although that belongs to the package that stays.
import { existsSync, symlinkSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
const target = `node-linux-${process.arch}/bin/node`
const link = `${modules}/.bin/node`
if (process.platform === 'linux' && existsSync(`${modules}/${target}`) && !existsSync(link))
  symlinkSync(`../${target}`, link)
