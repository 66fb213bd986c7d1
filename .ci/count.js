// Reads the results that vitest left as JSON and prints how many tests passed and failed. A run that ended badly without a
// failed test (a crash, an error outside of the tests, no results at all) counts as one that failed.
import { existsSync, readFileSync } from 'node:fs'

const [path = '', status] = process.argv.slice(2)
const { numTotalTests, numPassedTests } = existsSync(path)
  ? JSON.parse(readFileSync(path, 'utf8'))
  : { numTotalTests: 0, numPassedTests: 0 }
// A suite whose file or hook failed has tests that never ran: they count as failed, never as nothing.
const failed = numTotalTests - numPassedTests
console.log(numPassedTests, failed === 0 && (status !== '0' || numPassedTests === 0) ? 1 : failed)
