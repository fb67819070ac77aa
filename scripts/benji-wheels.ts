// Adds what the image of Benji installs to the directory that scripts/image-context.ts wrote: Benji and its packages as
// wheels, for the Python and the processor of this machine. Needs Debian 12's python3 with venv, and a C compiler.
//   node scripts/benji-wheels.ts [DIRECTORY]   default: dist-image
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { argv } from 'node:process'
import { root } from './workspaces.ts'

/** The Python of Debian 12, for which the wheels have to be. */
const python = '3.11'

/**
 * Makes the wheels.
 *
 * @throws Error when the directory is no context, or this machine has another Python
 */
function makeWheels(context: string): void {
  const directory = join(context, 'benji')
  const requirements = join(directory, 'requirements.txt')
  if (!existsSync(requirements)) throw new Error(`${context} has no benji/requirements.txt: npm run image:context`)
  const found = execFileSync('python3', ['--version'], { encoding: 'utf8' }).trim()
  if (!found.startsWith(`Python ${python}.`)) {
    throw new Error(`wheels for Debian 12 take its Python ${python}, and this machine has ${found}`)
  }
  const wheels = join(directory, 'wheels')
  const venv = mkdtempSync(join(tmpdir(), 'wheels-'))
  try {
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' })
    rmSync(wheels, { recursive: true, force: true })
    const pip = ['-q', 'wheel', '--no-deps', '-r', requirements, '-w', wheels]
    execFileSync(join(venv, 'bin/pip'), pip, { stdio: 'inherit' })
  } finally {
    rmSync(venv, { recursive: true, force: true })
  }
  console.log(`${wheels} has ${readdirSync(wheels).length} wheels`)
}

try {
  makeWheels(resolve(argv[2] ?? join(root, 'dist-image')))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
