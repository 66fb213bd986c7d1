/** Heartbeat: keeps a member's session alive, and tells it with REBALANCE_IN_PROGRESS that it must join again. */
import type { Handler } from '../../context.ts'

export const heartbeat: Handler<'Heartbeat'> = async (request, { parts }) => ({
  errorCode: await parts.groups.classic.heartbeat(request)
})
