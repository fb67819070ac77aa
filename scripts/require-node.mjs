// Runs before every script of package.json that needs the newer Node. Plain JavaScript, so that an old Node can read it.
import process from 'node:process'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `Holdfast needs Node 22.19 or newer, and this is ${process.versions.node}; \`npm ci\` brings Node 24 on Linux with glibc only (x64, arm64), so install it yourself here.`,
  )
  process.exit(1)
}
