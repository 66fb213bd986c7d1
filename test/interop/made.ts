// Builds, once, the outputs of other languages' tools that suites need: jars, classes, a virtual environment,
// node_modules. A stamp file holds a digest of the sources: a changed source or version causes a new build.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const MADE = new Set(['target', 'node_modules'])
/** Names the process that builds. Suites run in parallel, and two Mavens must not write to one repository. */
const LOCK = join(import.meta.dirname, 'target', 'making')
const LOCK_POLL_MS = 100

/** Outputs that this process builds or has built, by path. */
const making = new Map<string, Promise<string>>()

/** Runs the commands in `folder` unless `output` is already built from the same sources; returns its absolute path. */
export function made(folder: string, output: string, commands: readonly (readonly string[])[]): Promise<string> {
  const path = join(folder, output)
  const existing = making.get(path) ?? make(folder, path, commands)
  making.set(path, existing)
  return existing
}

async function make(folder: string, path: string, commands: readonly (readonly string[])[]): Promise<string> {
  const stamp = join(path, '.made')
  const digest = await digestOf(folder)
  const isMade = async () => (await readFile(stamp, 'utf8').catch(() => '')) === digest
  if (await isMade()) return path
  await lock()
  try {
    if (await isMade()) return path
    for (const [command = '', ...args] of commands) await run(command, args, { cwd: folder, maxBuffer: 1 << 26 })
    await mkdir(path, { recursive: true })
    await writeFile(stamp, digest)
    return path
  } finally {
    await rm(LOCK)
  }
}

/** Waits until no other process builds. Removes the lock of a process that has died. */
async function lock(): Promise<void> {
  await mkdir(join(LOCK, '..'), { recursive: true })
  while (!(await isLocked())) {
    const holder = Number(await readFile(LOCK, 'utf8').catch(() => ''))
    if (holder > 0 && !isAlive(holder)) await rm(LOCK, { force: true })
    else await new Promise(resolve => setTimeout(resolve, LOCK_POLL_MS))
  }
}

async function isLocked(): Promise<boolean> {
  try {
    await writeFile(LOCK, `${process.pid}`, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  for (const file of files.filter(name => !name.split('/').some(part => MADE.has(part))).sort()) {
    hash.update(file.slice(folder.length)).update(await readFile(file))
  }
  return hash.digest('hex')
}
