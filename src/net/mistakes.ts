/** Which other protocol the first bytes of a connection look like, so that a warning can name the likely mistake. */

interface Mistake {
  /** What the first four bytes begin with, read as latin1. */
  readonly prefixes: readonly string[]
  readonly advice: string
}

/** What really gets pointed at a Kafka port. */
const MISTAKES: readonly Mistake[] = [
  {
    prefixes: ['GET ', 'POST', 'HEAD', 'PUT ', 'DELE', 'PATC', 'OPTI', 'CONN', 'TRAC', 'PRI '],
    advice: 'this looks like an HTTP request (a browser, a health check, the URL of something else?)'
  },
  {
    prefixes: ['\x16\x03'],
    advice: 'this looks like TLS on a plaintext listener (use security.protocol=PLAINTEXT or ssl: false in the client)'
  },
  { prefixes: ['SSH-'], advice: 'this looks like an SSH client' },
  { prefixes: ['AMQP'], advice: 'this looks like an AMQP client (RabbitMQ?)' },
  { prefixes: ['\x10'], advice: 'this looks like an MQTT client' },
  { prefixes: ['*1\r', '*2\r', '*3\r', 'PING'], advice: 'this looks like a Redis client' },
  { prefixes: ['ruok', 'stat', 'srvr', 'mntr'], advice: 'this looks like a ZooKeeper command' },
  { prefixes: ['HELO', 'EHLO', 'USER', 'QUIT', 'HELP'], advice: 'this looks like a line-based text protocol' }
]

/** A sentence part about the first bytes of a stream, or undefined when they look like nothing we know. */
export function likelyMistake(firstBytes: Buffer): string | undefined {
  const text = firstBytes.toString('latin1')
  return MISTAKES.find(({ prefixes }) => prefixes.some(prefix => text.startsWith(prefix)))?.advice
}
