/** What answers about partitions carry so that a client finds a moved leader without asking for Metadata (KIP-951). */
import { array, int32, nullableString, string, struct } from '../wire/schema.ts'

/** Where a partition's leader is now; left out of the answer while both are -1. */
export const leaderIdAndEpoch = struct({ leaderId: int32.or(-1), leaderEpoch: int32.or(-1) })

/** The addresses of the leaders named in the same answer. */
export const nodeEndpoints = array({ nodeId: int32, host: string, port: int32, rack: nullableString })
