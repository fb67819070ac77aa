import { expect, test } from 'vitest'
import { parseListenAddress } from '../../src/telemetry/listen-address.ts'

test.for([
  [9480, undefined, 9480],
  ['9480', undefined, 9480],
  [' 9480 ', undefined, 9480],
  [':9480', undefined, 9480],
  ['0', undefined, 0],
  [0, undefined, 0],
  ['127.0.0.1:9480', '127.0.0.1', 9480],
  ['0.0.0.0:65535', '0.0.0.0', 65_535],
  ['localhost:1', 'localhost', 1],
  ['[::]:9480', '::', 9480],
  ['[::1]:9480', '::1', 9480],
  ['[fe80::1%eth0]:9480', 'fe80::1%eth0', 9480],
] as const)('%s is an address', ([value, host, port]) => {
  expect(parseListenAddress(value)).toEqual({ host, port })
})

test.for([
  '',
  ':',
  '65536',
  '-1',
  '9480:',
  '::1',
  '::1:9480',
  '[::1]',
  '[]:1',
  '[1.2.3.4]:1',
  'a b:1',
  'http://a:1',
  1.5,
])('%s is none', (value) => {
  expect(parseListenAddress(value)).toBeUndefined()
})
