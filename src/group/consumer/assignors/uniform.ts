/** Kafka's `uniform` assignor, the default: as even as can be, and of what is even, that which moves least. */
import type { Assignor } from './assignor.ts'
import { assignHeterogeneous } from './uniform-heterogeneous.ts'
import { assignHomogeneous } from './uniform-homogeneous.ts'

/** Two ways, by whether all members want the same topics; the simpler question has the simpler answer. */
export const uniformAssignor: Assignor = {
  name: 'uniform',
  assign: (group, topics) => (group.isHomogeneous ? assignHomogeneous : assignHeterogeneous)(group, topics)
}
