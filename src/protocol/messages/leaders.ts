/** Fields of partition responses by which a client finds a new leader without a Metadata request (KIP-951). */
import { array, int32, nullableString, string, struct } from '../wire/schema.ts'

/** Current leader of a partition. Not written while both fields are -1. */
export const leaderIdAndEpoch = struct({ leaderId: int32.or(-1), leaderEpoch: int32.or(-1) })

/** Endpoints of the leaders in the same response. */
export const nodeEndpoints = array({ nodeId: int32, host: string, port: int32, rack: nullableString })
