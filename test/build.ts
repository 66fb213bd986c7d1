/** Before any test: bundles the sources with their types, as they are published, for the tests that run the executable. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export default function build(): void {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  execFileSync(process.execPath, ['scripts/build.js', '--types'], { cwd, stdio: 'inherit' })
}
