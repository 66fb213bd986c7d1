// A bare TCP connection that only frames messages as Kafka's protocol does, so that tests can send bytes that no client
// would send.
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { FrameDecoder } from '../../../src/protocol/wire/frames.ts'

const LARGEST_FRAME_BYTES = 100 << 20
const ANSWER_LIMIT_MS = 120_000

/** A received frame without its size field; or the reason why none arrived. */
export type Received = Buffer | 'closed' | 'silent'

export interface Connection {
  /** Sends bytes unchanged. */
  send(pieces: readonly Buffer[]): void
  /** The next frame. */
  receive(): Promise<Received>
  close(): void
}

/** Connects to `host:port`. */
export async function connect(bootstrapServers: string): Promise<Connection> {
  const [host, port] = bootstrapServers.split(':')
  const socket = createConnection({ host: host ?? '', port: Number(port), noDelay: true })
  await once(socket, 'connect')
  return connectionOn(socket)
}

function connectionOn(socket: Socket): Connection {
  const decoder = new FrameDecoder(LARGEST_FRAME_BYTES)
  let closed = false
  let wake = (): void => {}
  socket.on('data', (chunk: Buffer) => {
    decoder.push(chunk)
    wake()
  })
  // A broker may close a connection with a reset; the event `close` follows.
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
    wake()
  })
  const receive = async (): Promise<Received> => {
    const deadline = Date.now() + ANSWER_LIMIT_MS
    for (;;) {
      const frame = decoder.next()
      if (frame !== undefined) return frame
      if (closed) return 'closed'
      const leftMs = deadline - Date.now()
      if (leftMs <= 0) return 'silent'
      await new Promise<void>(resolve => {
        const alarm = setTimeout(resolve, leftMs)
        wake = () => {
          clearTimeout(alarm)
          resolve()
        }
      })
    }
  }
  return { send: pieces => void socket.write(Buffer.concat(pieces)), receive, close: () => socket.destroy() }
}
