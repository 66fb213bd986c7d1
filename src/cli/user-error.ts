/** Errors that the user corrects: their message is one sentence, and a stack trace says no more. */
import { ConfigError } from '../config/sources.ts'
import { MetadataError } from '../metadata/metadata-error.ts'
import { ListenError } from '../net/listen.ts'
import { DataDirectoryError } from '../storage/data-directory-error.ts'
import { StorageError } from '../storage/storage.ts'

const USER_ERRORS = [ConfigError, DataDirectoryError, ListenError, MetadataError, StorageError]

/** True for an error whose message is all that the user needs. */
export function isUserError(error: unknown): error is Error {
  return USER_ERRORS.some(type => error instanceof type)
}
