/** Runs before all tests: builds dist with its types, as it is published, for the tests that run the executable. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export default function build(): void {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  execFileSync(process.execPath, ['scripts/build.js', '--types'], { cwd, stdio: 'inherit' })
}
