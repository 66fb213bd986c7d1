/** The metadata records contradict each other or say what this broker cannot serve; the message is a sentence. */
export class MetadataError extends Error {
  override name = 'MetadataError'
}
