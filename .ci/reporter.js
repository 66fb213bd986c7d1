// A vitest reporter. Writes the result of each test file as a line of JSON to the file that CI_RESULTS names.
import { writeFileSync } from 'node:fs'

export default class FileReporter {
  onTestRunEnd(testModules) {
    const lines = testModules.map(module => JSON.stringify(outcome(module)))
    writeFileSync(process.env.CI_RESULTS, lines.map(line => `${line}\n`).join(''))
  }
}

/** Tests that did not run, because their file or a hook failed, count as failed. */
function outcome(module) {
  const tests = [...module.children.allTests()]
  const passed = tests.filter(test => test.result().state === 'passed').length
  const failed = tests.length - passed || (module.ok() ? 0 : 1)
  const { collectDuration, duration } = module.diagnostic()
  return { file: module.relativeModuleId, passed, failed, seconds: (collectDuration + duration) / 1000 }
}
