import { expect, test } from 'vitest'
import { findMissingOptionals } from './complete-lockfile.ts'

const tool = {
  version: '1.2.3',
  dev: true,
  optionalDependencies: {
    '@tool/darwin-arm64': '1.2.3',
    '@tool/linux-x64-musl': '1.2.3',
    '@tool/linux-x64-gnu': '1.2.3',
    '@tool/windows-64': '1.2.3',
  },
}

test('the binaries of other platforms that npm left out are found, with their platform', () => {
  const present = { version: '1.2.3', os: ['linux'], cpu: ['x64'] }
  expect(findMissingOptionals({ 'node_modules/tool': tool, 'node_modules/@tool/linux-x64-gnu': present })).toEqual({
    'node_modules/@tool/darwin-arm64': { version: '1.2.3', cpu: ['arm64'], dev: true, optional: true, os: ['darwin'] },
    'node_modules/@tool/linux-x64-musl': {
      version: '1.2.3',
      cpu: ['x64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    },
    'node_modules/@tool/windows-64': { version: '1.2.3', cpu: ['x64'], dev: true, optional: true, os: ['win32'] },
  })
})

test('an entry below the package or above it is found where Node would look', () => {
  const { optionalDependencies } = { optionalDependencies: { '@tool/linux-x64-gnu': '1.2.3' } }
  const packages = { 'node_modules/a/node_modules/tool': { version: '1.2.3', optionalDependencies } }
  const entry = { version: '1.2.3' }
  for (const place of ['node_modules/a/node_modules/tool/node_modules', 'node_modules/a/node_modules', 'node_modules'])
    expect(findMissingOptionals({ ...packages, [`${place}/@tool/linux-x64-gnu`]: entry })).toEqual({})
})

test('a package whose name does not tell its platform is refused, not guessed', () => {
  const packages = { 'node_modules/tool': { version: '1.0.0', optionalDependencies: { extras: '1.0.0' } } }
  expect(() => findMissingOptionals(packages)).toThrow('extras@1.0.0')
})
