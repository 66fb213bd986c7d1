/** Errors that the user can correct. Their message is printed as one sentence without a stack trace. */
import { ConfigError } from '../config/sources.ts'
import { MetadataError } from '../metadata/metadata-error.ts'
import { ListenError } from '../net/listen.ts'
import { DataDirectoryError } from '../storage/data-directory-error.ts'
import { StorageError } from '../storage/storage.ts'

const USER_ERRORS = [ConfigError, DataDirectoryError, ListenError, MetadataError, StorageError]

/** True for an error that is printed without a stack trace. */
export function isUserError(error: unknown): error is Error {
  return USER_ERRORS.some(type => error instanceof type)
}
