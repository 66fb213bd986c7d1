/**
 * Prints the speed of a broker and its log on this machine: `npm run bench`. Asserts nothing; fails only if records are
 * lost. Reads come from the page cache, as is usual for a broker.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bareStart, clientRates } from './broker-rates.ts'
import { dumpRates } from './dump-rates.ts'
import { firstRecords, groupRates } from './group-rates.ts'
import { compactionRate, logRates, recoveryRate, syncRates } from './log-rates.ts'
import { startTimes } from './start-times.ts'
import { transactionRates } from './txn-rates.ts'

const parts: readonly ((directory: string) => Promise<void>)[] = [
  bareStart,
  clientRates,
  transactionRates,
  firstRecords,
  groupRates,
  logRates,
  syncRates,
  recoveryRate,
  compactionRate,
  dumpRates,
  startTimes
]

for (const part of parts) {
  const directory = mkdtempSync(join(tmpdir(), 'minikafka-bench-'))
  try {
    await part(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
