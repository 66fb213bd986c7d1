/** The packed tarball in projects of every test runner, installed with npm and pnpm, on each major of Node. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { MANAGERS, NODES, Projects } from './projects.ts'

const JEST = 'tools:jest/bin/jest.js'

/** The project's folder and the command that a user of the runner types. */
const RUNNERS = [
  ['node:test', 'node-test', ['--test']],
  ['vitest', 'vitest', ['tools:vitest/vitest.mjs', 'run']],
  ['Jest', 'jest', [JEST]],
  ['ts-jest', 'ts-jest', [JEST]],
  ['Jest with modules', 'jest-esm', ['--experimental-vm-modules', JEST]],
  ['mocha', 'mocha', ['tools:mocha/bin/mocha.js', '*.spec.*']],
  ['Jest of a NestJS project', 'nest', [JEST]]
] as const

let projects: Projects
beforeAll(async () => {
  projects = await Projects.install(inject('tarball'))
})
afterAll(() => projects?.remove())

describe.each(MANAGERS)('installed with %s', manager => {
  describe.each(NODES)('on Node %s', node => {
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
    })
  })
})
