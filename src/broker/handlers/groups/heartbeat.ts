/** Heartbeat: renews the session of a member. REBALANCE_IN_PROGRESS asks it to join again. */
import { handler } from '../../context.ts'

export const heartbeat = handler('Heartbeat', ['groups'], async (request, { groups }) => ({
  errorCode: await groups.classic.heartbeat(request)
}))
