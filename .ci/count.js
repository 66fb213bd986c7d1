// Adds up the test results that vitest left as JSON and prints the closing line; exit code 1 when there are none or one failed.
import { readFileSync } from 'node:fs'

let passed = 0
let failed = 0
for (const path of process.argv.slice(2)) {
  const result = JSON.parse(readFileSync(path, 'utf8'))
  passed += result.numPassedTests
  // A suite whose file or hook failed has tests that never ran: they count as failed, never as nothing.
  failed += result.numTotalTests - result.numPassedTests + (result.success || result.numFailedTests > 0 ? 0 : 1)
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = passed > 0 && failed === 0 ? 0 : 1
