/** Which errors are the user's to mend: their message is a sentence for them, and a stack trace would only be noise. */
import { ConfigError } from '../config/sources.ts'
import { MetadataError } from '../metadata/metadata-error.ts'
import { ListenError } from '../net/listen.ts'
import { DataDirectoryError } from '../storage/data-directory-error.ts'
import { StorageError } from '../storage/storage.ts'

const USER_ERRORS = [ConfigError, DataDirectoryError, ListenError, MetadataError, StorageError]

/** Whether the message of `error`, thrown while starting, is all that the user needs. */
export function isUserError(error: unknown): error is Error {
  return USER_ERRORS.some(type => error instanceof type)
}
