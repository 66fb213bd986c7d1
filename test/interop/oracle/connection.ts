// A bare TCP connection that frames as Kafka's protocol does and knows nothing else, so that tests can send what no
// client would.
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { FrameDecoder } from '../../../src/protocol/wire/frames.ts'

const LARGEST_FRAME_BYTES = 100 << 20
const ANSWER_LIMIT_MS = 120_000

/** What came back: a frame without its size, or the way in which none did. */
export type Received = Buffer | 'closed' | 'silent'

export interface Connection {
  /** Sends bytes as they are. */
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
  // A reset is one of the ways in which a broker closes; `close` follows it.
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
