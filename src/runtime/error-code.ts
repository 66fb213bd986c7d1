/** The code by which Node tells what the system refused. */

/** `ENOENT`, `EADDRINUSE` and the like; empty for an error that has none, as our own bugs have. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
