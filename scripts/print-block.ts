// What a page has its reader type, for a shell that types it: `node scripts/print-block.ts SECURITY.md verify-image | bash -eu`.
import { argv, stdout } from 'node:process'
import { blockOf } from './page-blocks.ts'

const [, , page = '', name = ''] = argv
stdout.write(blockOf(page, name))
