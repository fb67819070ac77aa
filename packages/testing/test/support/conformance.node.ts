// The checks by Node's own runner: see runners.test.ts.
import { test } from 'node:test'
import { checks } from './runner-checks.ts'

for (const { name, run } of checks) void test(name, run)
