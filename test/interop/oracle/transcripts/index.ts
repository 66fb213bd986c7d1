// Every transcript, by name.
import type { Step } from '../transcript.ts'
import { apiVersions } from './api-versions.ts'
import { fetch } from './fetch.ts'
import { findCoordinator } from './find-coordinator.ts'
import { idempotence } from './idempotence.ts'
import { joinGroup } from './join-group.ts'
import { metadata } from './metadata.ts'
import { offsets } from './offsets.ts'
import { produce } from './produce.ts'
import { topics } from './topics.ts'

export const TRANSCRIPTS: Readonly<Record<string, readonly Step[]>> = {
  'api versions': apiVersions,
  metadata,
  topics,
  produce,
  idempotence,
  fetch,
  offsets,
  'find coordinator': findCoordinator,
  'join group': joinGroup
}
