/** Failures that many requests meet alike, told to the operator few times: a codec that is missing, a disk that is full. */

import { missingCodecNotice } from '../protocol/records/compression/codec.ts'
import type { Logger } from '../runtime/logger.ts'
import type { MonotonicClock } from '../runtime/time.ts'
import { StorageError } from '../storage/storage.ts'

/** A disk that fails is told of once in this time, however many requests fail with it. */
const STORAGE_NOTICE_EVERY_MS = 10_000

/** Looks at errors on their way to clients. */
export function notices(logger: Logger, loop: MonotonicClock): (error: unknown) => void {
  const noticeMissingCodec = missingCodecNotice(logger)
  let quietUntilMs = Number.NEGATIVE_INFINITY
  return error => {
    noticeMissingCodec(error)
    if (!(error instanceof StorageError) || loop.now() < quietUntilMs) return
    quietUntilMs = loop.now() + STORAGE_NOTICE_EVERY_MS
    logger.error({ err: error }, `the data directory failed: ${error.message}`)
  }
}
