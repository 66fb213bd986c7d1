/** A connection that breaks after a request has been applied and before its response arrives: the client cannot know. */
import type { Stage } from '../../src/broker/pipeline.ts'
import { CloseConnection } from '../../src/net/dispatch.ts'
import type { ApiName } from '../../src/protocol/messages/index.ts'

/** A stage after the handler that loses the responses which `isLost` picks. */
export function losingAnswers(isLost: (api: ApiName) => boolean): Stage {
  return ({ api }) => {
    if (isLost(api.name)) throw new CloseConnection(`the response to ${api.name} is lost`)
  }
}
