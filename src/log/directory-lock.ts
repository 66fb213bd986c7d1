/**
 * Keeps a second process out of a data directory. The lock is a Unix socket that is listened on: a socket that refuses
 * connections was left by a process that died. Where there are no such sockets an exclusive file with a process id serves.
 */
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as path from 'node:path'
import { DataDirectoryError } from './data-directory-error.ts'

/** Kafka ignores plain files it does not know, and hidden ones too. */
export const LOCK_FILE = '.minikafka.lock'

const KAFKA_LOCK_FILE = '.lock'
/** The least that systems allow for a socket's path is 104 bytes with the zero at its end. */
const LONGEST_SOCKET_PATH = 103
const ATTEMPTS = 5
/** What bind answers where the file system, or the system, has no sockets. */
const NO_SOCKETS = new Set([
  'ENOTSUP',
  'EOPNOTSUPP',
  'EPERM',
  'EACCES',
  'EINVAL',
  'ENOSYS',
  'EPROTONOSUPPORT',
  'ENAMETOOLONG'
])

/** A data directory that is ours. */
export interface DirectoryLock {
  release(): Promise<void>
}

/** Locks `directory`, which is made if need be. Throws DataDirectoryError when somebody else uses it or it cannot be written to. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  try {
    fs.mkdirSync(directory, { recursive: true })
    fs.accessSync(directory, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
  } catch (error) {
    throw new DataDirectoryError(`the data directory ${directory} cannot be used: ${reasonOf(error)}`)
  }
  const holder = kafkaHolding(directory)
  if (holder !== undefined) throw inUse(directory, `Apache Kafka (process ${holder})`)
  return (await lockBySocket(directory)) ?? lockByFile(directory)
}

/** Undefined where sockets cannot be had. */
async function lockBySocket(directory: string): Promise<DirectoryLock | undefined> {
  if (process.platform === 'win32') return undefined
  const reach = reachShort(directory)
  if (!reach) return undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const bound = await bind(path.join(reach.directory, LOCK_FILE))
    if (bound instanceof net.Server) return { release: () => release(bound, reach) }
    if (bound !== 'EADDRINUSE') {
      reach.close()
      if (NO_SOCKETS.has(bound)) return undefined
      throw new DataDirectoryError(`the data directory ${directory} cannot be locked: ${bound}`)
    }
    if (!(await removeLeftOver(reach.directory))) {
      reach.close()
      throw inUse(directory, 'another minikafka')
    }
  }
  reach.close()
  throw inUse(directory, 'another minikafka that is just starting')
}

/** A listening server, or the code of the error. */
function bind(socketPath: string): Promise<net.Server | string> {
  return new Promise(resolve => {
    const server = net.createServer(socket => socket.destroy())
    server.once('error', error => resolve(codeOf(error)))
    server.listen(socketPath, () => {
      server.unref()
      resolve(server)
    })
  })
}

/**
 * Takes away a socket that nobody listens on; false when somebody does. It gets another name first, for two processes
 * may find the same left-over, and the slower one must not take away the lock that the faster one has made since.
 */
async function removeLeftOver(directory: string): Promise<boolean> {
  const lock = path.join(directory, LOCK_FILE)
  if (await isListening(lock)) return false
  const aside = `${lock}${randomBytes(3).toString('hex')}`
  try {
    fs.renameSync(lock, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true
    throw error
  }
  if (await isListening(aside)) {
    fs.renameSync(aside, lock)
    return false
  }
  fs.rmSync(aside, { force: true })
  return true
}

/** A file that is no socket, which the other kind of lock leaves, counts as listening while its process lives. */
function isListening(socketPath: string): Promise<boolean> {
  if (fs.existsSync(socketPath) && !fs.statSync(socketPath).isSocket()) return Promise.resolve(isHeldFile(socketPath))
  return new Promise(resolve => {
    const socket = net.connect(socketPath, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', error => resolve(codeOf(error) === 'EAGAIN'))
  })
}

function release(server: net.Server, reach: Reach): Promise<void> {
  return new Promise(resolve => {
    server.close(() => {
      reach.close()
      resolve()
    })
  })
}

/** A way to name a directory with few bytes, and how to give it up. */
interface Reach {
  readonly directory: string
  close(): void
}

/** The shortest of the absolute path, the path from here, and on Linux the path by way of an open descriptor. */
function reachShort(directory: string): Reach | undefined {
  const absolute = path.resolve(directory)
  const relative = path.relative(process.cwd(), absolute)
  // The name that a left-over is put aside under is six bytes longer.
  const fits = (name: string) => Buffer.byteLength(path.join(name, LOCK_FILE)) + 6 <= LONGEST_SOCKET_PATH
  if (fits(absolute)) return { directory: absolute, close: () => {} }
  if (fits(relative)) return { directory: relative, close: () => {} }
  if (process.platform !== 'linux') return undefined
  const descriptor = fs.openSync(absolute, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  return { directory: `/proc/self/fd/${descriptor}`, close: () => fs.closeSync(descriptor) }
}

function lockByFile(directory: string): DirectoryLock {
  const lock = path.join(directory, LOCK_FILE)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      fs.writeFileSync(lock, `${process.pid}\n`, { flag: 'wx' })
      return { release: async () => fs.rmSync(lock, { force: true }) }
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') {
        throw new DataDirectoryError(`the data directory ${directory} cannot be locked: ${reasonOf(error)}`)
      }
    }
    if (isHeldFile(lock)) throw inUse(directory, `the process that ${lock} names`)
    fs.rmSync(lock, { force: true })
  }
  throw inUse(directory, 'another minikafka that is just starting')
}

/** Whether the process that a lock file names lives. Our own id was another process's, in another container say. */
function isHeldFile(lock: string): boolean {
  const holder = Number.parseInt(fs.readFileSync(lock, 'utf8'), 10)
  if (!Number.isInteger(holder) || holder <= 0 || holder === process.pid) return false
  try {
    process.kill(holder, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/**
 * The process of an Apache Kafka that holds its lock on the directory. Node has no fcntl locks, but Linux lists them all:
 * `1: POSIX  ADVISORY  WRITE 4711 fd:01:1234 0 EOF`, with the inode last.
 */
function kafkaHolding(directory: string): number | undefined {
  const lock = path.join(directory, KAFKA_LOCK_FILE)
  if (!fs.existsSync(lock) || !fs.existsSync('/proc/locks')) return undefined
  const inode = fs.statSync(lock).ino
  for (const line of fs.readFileSync('/proc/locks', 'utf8').split('\n')) {
    const [, holder, lockedInode] = /POSIX\s+ADVISORY\s+WRITE\s+(\d+)\s+\w+:\w+:(\d+)/.exec(line) ?? []
    if (Number(lockedInode) === inode && hasOpen(Number(holder), lock)) return Number(holder)
  }
  return undefined
}

/** Whether a process has a file open; true when it is not ours to see, for inodes of several file systems may be alike. */
function hasOpen(processId: number, file: string): boolean {
  const wanted = fs.realpathSync(file)
  const descriptors = `/proc/${processId}/fd`
  try {
    return fs.readdirSync(descriptors).some(name => readLink(`${descriptors}/${name}`) === wanted)
  } catch (error) {
    return codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM'
  }
}

function readLink(link: string): string | undefined {
  try {
    return fs.readlinkSync(link)
  } catch (error) {
    // A descriptor that was closed since the directory was listed.
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function inUse(directory: string, holder: string): DataDirectoryError {
  return new DataDirectoryError(`the data directory ${directory} is in use by ${holder}`)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
