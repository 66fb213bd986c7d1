/** A data directory that cannot be used as it is. The message is for whoever named the directory. */
export class DataDirectoryError extends Error {
  override name = 'DataDirectoryError'
}
