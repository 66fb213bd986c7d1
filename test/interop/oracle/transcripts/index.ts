// Every transcript, by name.
import type { Step } from '../transcript.ts'
import { apiVersions } from './api-versions.ts'
import { metadata } from './metadata.ts'
import { topics } from './topics.ts'

export const TRANSCRIPTS: Readonly<Record<string, readonly Step[]>> = {
  'api versions': apiVersions,
  metadata,
  topics
}
