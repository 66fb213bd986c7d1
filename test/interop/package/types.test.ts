/** The types of the packed tarball, read by TypeScript with each kind of module resolution and without skipLibCheck. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { Projects } from './projects.ts'

const TYPESCRIPT_5 = ['TypeScript 5', 'tools:typescript/bin/tsc'] as const
const TYPESCRIPT_7 = ['TypeScript 7', 'tools:typescript7/bin/tsc'] as const

/** `module`, `moduleResolution` and the module type of the importing package. */
const RESOLUTIONS = [
  ['node16', 'node16', 'commonjs'],
  ['node16', 'node16', 'module'],
  ['nodenext', 'nodenext', 'commonjs'],
  ['nodenext', 'nodenext', 'module'],
  ['esnext', 'bundler', 'module'],
  ['preserve', 'bundler', 'commonjs']
] as const

/** TypeScript 7 has no node10 resolution. */
const CASES = [
  ...RESOLUTIONS.flatMap(row => [[...TYPESCRIPT_5, ...row] as const, [...TYPESCRIPT_7, ...row] as const]),
  [...TYPESCRIPT_5, 'commonjs', 'node10', 'commonjs'] as const
].map(([compiler, tsc, module, resolution, type]) => ({ compiler, tsc, module, resolution, type }))

let projects: Projects
beforeAll(async () => {
  projects = await Projects.install(inject('tarball'), ['npm'])
  for (const type of ['commonjs', 'module']) await projects.copy('types', `types-${type}`, { name: 'project', type })
})
afterAll(() => projects?.remove())

for (const { compiler, tsc, module, resolution, type } of CASES) {
  const reader = `${compiler} with module ${module} and resolution ${resolution} in a package of type ${type}`
  test.concurrent(`${reader} accepts the types`, async () => {
    const args = [tsc, '-p', '.', '--module', module, '--moduleResolution', resolution]
    const outcome = await projects.run({ manager: 'npm', node: '22', isAlone: true, folder: `types-${type}`, args })
    expect(outcome).toEqual({ exitCode: 0, output: '' })
  })
}
