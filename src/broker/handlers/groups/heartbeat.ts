/** Heartbeat: keeps a member's session alive, and tells it with REBALANCE_IN_PROGRESS that it must join again. */
import { handler } from '../../context.ts'

export const heartbeat = handler('Heartbeat', ['groups'], async (request, { groups }) => ({
  errorCode: await groups.classic.heartbeat(request)
}))
