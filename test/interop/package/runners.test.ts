/** The packed tarball in projects of every test runner, installed with npm and pnpm, on each major version of Node. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Projects } from './projects.ts'

/** The layout of pnpm's node_modules does not depend on the Node version. */
const INSTALLATIONS = [
  ['npm', '20'],
  ['npm', '22'],
  ['npm', '24'],
  ['pnpm', '22']
] as const

/** The default limits of the runners, 2 to 10 seconds, are too short while other suites run. */
const LIMIT_MS = 60_000
const VITEST = ['tools:vitest/vitest.mjs', 'run', `--testTimeout=${LIMIT_MS}`, `--hookTimeout=${LIMIT_MS}`]
const JEST = ['tools:jest/bin/jest.js', `--testTimeout=${LIMIT_MS}`]
const MOCHA = ['tools:mocha/bin/mocha.js', `--timeout=${LIMIT_MS}`]

/** The project's folder and the command of a user of that runner. */
const RUNNERS = [
  ['node:test', 'node-test', ['--test']],
  ['vitest', 'vitest', VITEST],
  ['vitest with one broker for all workers', 'vitest-shared', VITEST],
  ['vitest with a broker for each worker', 'vitest-broker', VITEST],
  ['Jest', 'jest', JEST],
  ['Jest with one broker for all workers', 'jest-shared', JEST],
  ['ts-jest', 'ts-jest', JEST],
  ['Jest with modules', 'jest-esm', ['--experimental-vm-modules', ...JEST]],
  ['Jest with a broker for each worker and without teardown', 'jest-broker', ['--experimental-vm-modules', ...JEST]],
  ['mocha', 'mocha', [...MOCHA, '*.spec.*']],
  ['Jest of a NestJS project', 'nest', JEST]
] as const

let projects: Projects
beforeAll(async () => {
  projects = await Projects.install(inject('tarball'))
})
afterAll(() => projects?.remove())

describe.each(INSTALLATIONS)('installed with %s on Node %s', (manager, node) => {
  test.concurrent.each(['import.mjs', 'require.cjs'])(
    'a broker starts from %s without any other package',
    async file => {
      const outcome = await projects.run({ manager, node, isAlone: true, folder: 'bare', args: [file] })
      expect(outcome).toEqual({ exitCode: 0, output: '' })
    }
  )

  test.concurrent.each(RUNNERS)('tests of %s use the fixture', async (_, folder, args) => {
    const { exitCode, output } = await projects.run({ manager, node, folder, args })
    expect(exitCode, output).toBe(0)
    expect(output).not.toContain('Jest did not exit')
  })
})

/** The README's examples, unchanged. */
test.concurrent.each([
  ['vitest', VITEST],
  ['jest', JEST],
  ['node-test', ['--test']],
  ['mocha', [...MOCHA, '--require', './kafka.hooks.mjs', '*.spec.mjs']]
] as const)('the example for %s passes with the packed tarball', async (name, args) => {
  const { exitCode, output } = await projects.run({ manager: 'npm', node: '22', folder: `examples/${name}`, args })
  expect(exitCode, output).toBe(0)
  expect(output).not.toContain('Jest did not exit')
})
