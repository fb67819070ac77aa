// Prints what an audit of a ledger finds; exits 1 when money is missing.
import { audit } from './ledger.ts'

const [, , path = 'ledger.sqlite'] = process.argv
const { balanced, sum, transfers } = audit(path)
process.stdout.write(
  `${transfers} transfers, the accounts hold ${sum}: ${balanced ? 'balanced' : 'MONEY IS MISSING'}\n`,
)
process.exitCode = balanced ? 0 : 1
