/** A data directory that cannot be used. The message is meant for the user who configured the directory. */
export class DataDirectoryError extends Error {
  override name = 'DataDirectoryError'
}
