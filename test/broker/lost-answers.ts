/** A connection that breaks after a request is applied and before its response arrives: the client cannot know the result. */
import type { Stage } from '../../src/broker/pipeline.ts'
import { CloseConnection } from '../../src/net/dispatch.ts'
import type { ApiName } from '../../src/protocol/messages/index.ts'

/** A stage after the handler that drops the responses selected by `isLost`. */
export function losingAnswers(isLost: (api: ApiName) => boolean): Stage {
  return ({ api }) => {
    if (isLost(api.name)) throw new CloseConnection({ cause: 'ResponseDropped' })
  }
}
