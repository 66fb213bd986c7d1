/** Error codes of Node.js system errors. */

/** The code of a system error, such as `ENOENT` or `EADDRINUSE`; empty for an error without a code. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
