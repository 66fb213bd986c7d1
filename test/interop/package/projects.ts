/** Empty projects with the packed tarball installed. Programs run in them as users run them. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { made } from '../made.ts'

const run = promisify(execFile)
const PROJECTS = join(import.meta.dirname, 'projects')
const EXAMPLES = join(import.meta.dirname, '../../../examples')
const TOOLS = join(import.meta.dirname, 'tools')
const LIMIT_MS = 170_000

export type NodeMajor = '20' | '22' | '24'

const MANAGERS = ['npm', 'pnpm'] as const
type Manager = (typeof MANAGERS)[number]

/** Exit code and output of a program. */
export interface Outcome {
  readonly exitCode: number
  readonly output: string
}

/** Installs the packages of tools/package.json, which need no install scripts. Resolves with their folder. */
export function installTools(): Promise<string> {
  return made(TOOLS, 'node_modules', [['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund']])
}

/** The Node of that version among the tools. */
export function nodeBinary(tools: string, major: NodeMajor): string {
  return join(tools, `node${major}/bin/node`)
}

/** Folders outside the repository, where a package that the tarball lacks cannot be found by accident. */
export class Projects {
  readonly #root: string
  readonly #tools: string
  readonly #managers: readonly Manager[]

  private constructor(root: string, tools: string, managers: readonly Manager[]) {
    this.#root = root
    this.#tools = tools
    this.#managers = managers
  }

  /** Installs the tarball with each package manager, alone and in a project that has all test runners. */
  static async install(tarball: string, managers: readonly Manager[] = MANAGERS): Promise<Projects> {
    const projects = new Projects(await mkdtemp(join(tmpdir(), 'minikafka-package-')), await installTools(), managers)
    await Promise.all(managers.map(manager => projects.#install(manager, tarball)))
    return projects
  }

  /** Copies a project's folder, with its own manifest, to a folder with only the package. */
  async copy(from: string, to: string, manifest: Readonly<Record<string, string>>): Promise<void> {
    for (const manager of this.#managers) {
      const folder = join(this.#root, manager, 'alone', to)
      await cp(join(PROJECTS, from), folder, { recursive: true })
      await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
    }
  }

  async remove(): Promise<void> {
    await rm(this.#root, { recursive: true })
  }

  async #install(manager: Manager, tarball: string): Promise<void> {
    const alone = join(this.#root, manager, 'alone')
    const beside = join(this.#root, manager, 'runners')
    await mkdir(alone, { recursive: true })
    await writeFile(join(alone, 'package.json'), '{ "name": "project", "private": true }\n')
    const commands = {
      npm: ['npm', 'install', '--no-audit', '--no-fund', tarball],
      pnpm: [this.#node('22'), join(this.#tools, 'pnpm/bin/pnpm.cjs'), 'add', tarball]
    }
    const [command = '', ...args] = commands[manager]
    await run(command, args, { cwd: alone })
    await cp(alone, beside, { recursive: true, verbatimSymlinks: true })
    await linkPackages(this.#tools, join(beside, 'node_modules'))
    for (const folder of [alone, beside]) await cp(PROJECTS, folder, { recursive: true })
    await cp(EXAMPLES, join(beside, 'examples'), { recursive: true })
    await symlink(join(beside, 'round-trip'), join(beside, 'node_modules/round-trip'))
  }

  /**
   * Runs, in a folder of the project, a program of a package; or a file of the project if the path begins with a dot.
   */
  async run(options: {
    readonly manager: Manager
    readonly node: NodeMajor
    /** Without the test runners. */
    readonly isAlone?: boolean
    readonly folder: string
    readonly args: readonly string[]
  }): Promise<Outcome> {
    const { manager, node, isAlone = false, folder, args } = options
    const cwd = join(this.#root, manager, isAlone ? 'alone' : 'runners', folder)
    const program = args.map(arg => arg.replace(/^tools:/, `${this.#tools}/`))
    // Environment variables of this test's own runner are not passed on.
    const env = { PATH: `${dirname(this.#node(node))}:${process.env.PATH}`, HOME: process.env.HOME, TMPDIR: this.#root }
    return new Promise(resolve => {
      execFile(this.#node(node), program, { cwd, env, timeout: LIMIT_MS }, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : Number(error.code ?? -1)
        resolve({ exitCode, output: `${stdout}${stderr}` })
      })
    })
  }

  #node(major: NodeMajor): string {
    return nodeBinary(this.#tools, major)
  }
}

/** Links all packages of a node_modules folder into another, with the layout of a package manager. */
async function linkPackages(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (name.startsWith('.')) continue
    if (name.startsWith('@')) {
      await mkdir(join(to, name), { recursive: true })
      for (const scoped of await readdir(join(from, name))) await link(join(from, name, scoped), join(to, name, scoped))
    } else await link(join(from, name), join(to, name))
  }
}

async function link(from: string, to: string): Promise<void> {
  await symlink(from, to).catch((error: NodeJS.ErrnoException) => {
    // A dependency of the package itself.
    if (error.code !== 'EEXIST') throw error
  })
}
