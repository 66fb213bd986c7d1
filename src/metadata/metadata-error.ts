/** The metadata records contradict each other, or this broker cannot serve them. The message is a sentence. */
export class MetadataError extends Error {
  override name = 'MetadataError'
}
