/** A bare TCP client for tests. Received frames and the close of the connection are promises; it uses no timers. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export class Client {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #changed: () => void = () => {}
  #gone = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', chunk => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#changed()
    })
    socket.on('error', () => {})
    socket.on('end', () => this.#lost())
    socket.on('close', () => this.#lost())
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<Client> {
    const socket = connect({ port, host, allowHalfOpen: true })
    await once(socket, 'connect')
    return new Client(socket)
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer | string): void {
    this.socket.write(bytes)
  }

  /** Sends a frame. */
  send(body: string): void {
    this.write(framed(body))
  }

  /** The body of the next received frame, or undefined if the server closed the connection. */
  async receive(): Promise<string | undefined> {
    for (;;) {
      if (this.#received.length >= 4) {
        const end = 4 + this.#received.readInt32BE(0)
        if (this.#received.length >= end) {
          const body = this.#received.toString('latin1', 4, end)
          this.#received = this.#received.subarray(end)
          return body
        }
      }
      if (this.#gone) return undefined
      await new Promise<void>(resolve => {
        this.#changed = resolve
      })
    }
  }

  /** Resolves when the server has closed its side of the connection. */
  async closedByServer(): Promise<void> {
    while (!this.#gone) {
      await new Promise<void>(resolve => {
        this.#changed = resolve
      })
    }
  }

  #lost(): void {
    this.#gone = true
    this.#changed()
  }
}

export function framed(body: string): Buffer {
  const frame = Buffer.alloc(4 + body.length)
  frame.writeInt32BE(body.length)
  frame.write(body, 4, 'latin1')
  return frame
}
