/** Which errors are the user's to mend: their message is a sentence for them, and a stack trace would only be noise. */
import { ConfigError } from '../config/sources.ts'
import { ListenError } from '../net/listen.ts'

/** Whether the message of `error` is all that the user needs. */
export function isUserError(error: unknown): error is Error {
  return error instanceof ConfigError || error instanceof ListenError
}
