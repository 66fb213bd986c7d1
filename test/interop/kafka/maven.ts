// Jars from Maven, copied once into a git-ignored target folder. The stamp file says that a copy was completed.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Runs Maven in `folder` unless an earlier run has made `output` (relative to it) whole; answers its absolute path. */
export async function mavenOutput(folder: string, output: string, args: readonly string[]): Promise<string> {
  const path = join(folder, output)
  const stamp = join(path, '.complete')
  if (existsSync(stamp)) return path
  await run('mvn', ['-q', '-B', ...args], { cwd: folder, maxBuffer: 1 << 26 })
  await writeFile(stamp, '')
  return path
}
