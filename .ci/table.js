// Prints the results and times of the steps of `.ci/run`, with the slow files of a suite below it; the last line is the
// total. The input has a line for each step: name, seconds, exit status and, for a suite, the output of reporter.js. A
// suite that fails without a failed test (a crash, an error outside the tests, no results) counts as one failure.
import { existsSync, readFileSync } from 'node:fs'

const SLOW_SECONDS = 10

const [stepsPath = ''] = process.argv.slice(2)
const steps = linesOf(stepsPath).map(readStep)
const rows = steps
  .flatMap(step => [step, ...step.files])
  .map(row => [row.name, row.passed, row.failed, time(row.seconds)])
printTable([['step', 'passed', 'failed', 'time'], ...rows])
console.log(`${sum(steps, 'passed')} passed, ${sum(steps, 'failed')} failed`)
process.exitCode = sum(steps, 'failed') === 0 ? 0 : 1

function readStep(line) {
  const [name, seconds, status, results] = line.split('\t')
  const isWell = status === '0'
  const step = { name, seconds: Number(seconds), passed: isWell ? 1 : 0, failed: isWell ? 0 : 1, files: [] }
  if (results === undefined) return step
  const files = linesOf(results).map(file => JSON.parse(file))
  const passed = sum(files, 'passed')
  const failed = sum(files, 'failed') || (isWell && passed > 0 ? 0 : 1)
  return {
    ...step,
    passed,
    failed,
    files: files
      .filter(isShown)
      .sort((a, b) => b.seconds - a.seconds)
      .map(named)
  }
}

function isShown({ seconds, failed }) {
  return seconds >= SLOW_SECONDS || failed > 0
}

function named({ file, ...rest }) {
  return { name: `  ${file}`, ...rest }
}

function linesOf(path) {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
}

function sum(rows, key) {
  return rows.reduce((total, row) => total + row[key], 0)
}

function time(seconds) {
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

function printTable(table) {
  const widths = table[0].map((_, column) => Math.max(...table.map(row => String(row[column]).length)))
  for (const [name, ...numbers] of table) {
    const cells = numbers.map((cell, index) => String(cell).padStart(widths[index + 1]))
    console.log([name.padEnd(widths[0]), ...cells].join('  '))
  }
}
