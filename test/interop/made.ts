// What a suite needs from another language's tools, made once: jars, classes, a virtual environment, node_modules. Stamped
// with a digest of the folder's own files, so that a changed source or version is made anew.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const MADE = new Set(['target', 'node_modules'])

/** What is made, or has been made, by this process: two who need the same at the same time make it once. */
const making = new Map<string, Promise<string>>()

/** Runs the commands in `folder` unless `output` was made from the same sources before; answers its absolute path. */
export function made(folder: string, output: string, commands: readonly (readonly string[])[]): Promise<string> {
  const path = join(folder, output)
  const existing = making.get(path) ?? make(folder, path, commands)
  making.set(path, existing)
  return existing
}

async function make(folder: string, path: string, commands: readonly (readonly string[])[]): Promise<string> {
  const stamp = join(path, '.made')
  const digest = await digestOf(folder)
  if ((await readFile(stamp, 'utf8').catch(() => '')) === digest) return path
  for (const [command = '', ...args] of commands) await run(command, args, { cwd: folder, maxBuffer: 1 << 26 })
  await mkdir(path, { recursive: true })
  await writeFile(stamp, digest)
  return path
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
