/** A connection that breaks after a request has been applied and before it is answered: the client cannot know. */
import { CloseConnection, type Dispatch } from '../../src/net/dispatch.ts'
import { decodeRequestHeader } from '../../src/protocol/api.ts'
import { type ApiName, apiByKey } from '../../src/protocol/messages/index.ts'

/** Answers as `dispatch` does, but for those that `isLost` picks: all that the request does is done, and nobody hears of it. */
export function losingAnswers(dispatch: Dispatch, isLost: (api: ApiName) => boolean): Dispatch {
  return async (frame, connection) => {
    const answer = await dispatch(frame, connection)
    const { api } = decodeRequestHeader(frame, apiByKey)
    if (isLost(api.name)) throw new CloseConnection(`the answer to ${api.name} is lost`)
    return answer
  }
}
