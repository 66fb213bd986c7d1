/** Servers on real TCP with a dispatcher that echoes or delays requests. */
import { onTestFinished } from 'vitest'
import type { ConnectionContext, Dispatch, DispatchResult } from '../../src/net/dispatch.ts'
import { Server } from '../../src/net/server.ts'
import { type Deferred, deferred } from '../../src/runtime/deferred.ts'
import { type Clocks, systemClocks } from '../../src/runtime/time.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { type Given, settingsWith } from '../config/settings-with.ts'
import { Client, framed } from './client.ts'

const SETTINGS: Given = { 'socket.request.max.bytes': 1_000_000, 'connections.max.idle.ms': -1 }

interface StartedServer {
  readonly server: Server
  readonly port: number
  readonly events: RecordingEvents
}

/** A response that is sent at once. */
export function responding(response: readonly Buffer[] | undefined, muteMs = 0): DispatchResult {
  return { response, muteMs, memory: { release: () => {} } }
}

/** Echoes every frame. */
export const echo: Dispatch = async frame => responding([framed(frame.toString('latin1'))])

/** A server that closes after the test. */
export async function start(
  dispatch: Dispatch | undefined,
  given: Given = {},
  clocks: Clocks = systemClocks
): Promise<StartedServer> {
  const events = new RecordingEvents()
  const listeners = [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }]
  const settings = settingsWith({ ...SETTINGS, ...given })
  const server = await Server.bind({ listeners, settings, clocks, events, unref: false })
  onTestFinished(() => server.close())
  if (dispatch !== undefined) server.serve(dispatch)
  return { server, port: server.endpoints[0]?.port ?? 0, events }
}

/** Delays every request until the test answers it. */
export function delaying() {
  const requests: { body: string; answer: Deferred<Buffer[]>; connection: ConnectionContext }[] = []
  let arrived: Deferred<void> = deferred()
  const dispatch: Dispatch = (frame, connection) => {
    const answer = deferred<Buffer[]>()
    requests.push({ body: frame.toString('latin1'), answer, connection })
    arrived.resolve()
    arrived = deferred()
    return answer.promise.then(responding)
  }
  const next = async (index: number) => {
    for (;;) {
      const request = requests[index]
      if (request !== undefined) return request
      await arrived.promise
    }
  }
  /** Resolves when one request is delayed. Meanwhile the requests of another client are served. */
  const twentyRounds = async (port: number) => {
    const other = await Client.connect(port)
    for (let round = 1; round <= 20; round++) {
      other.send('hello')
      const request = await next(round)
      request.answer.resolve([framed('hello')])
      await other.receive()
    }
    return other
  }
  return { dispatch, requests, next, twentyRounds }
}
