/**
 * The lock of a data directory: one process at a time uses it. Node has no file locks, so each process creates a claim in
 * the directory: a Unix socket with a unique name. The socket accepts connections exactly as long as its process lives, so
 * any process may remove a claim that does not accept. A process holds the lock if it finds no other live claim. Each
 * process creates its claim before it looks for others: of two processes at least the later one sees both claims.
 */
import * as fs from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { codeOf } from '../runtime/error-code.ts'
import { type Random, randomUuid } from '../runtime/random.ts'
import { DataDirectoryError } from './data-directory-error.ts'

const CLAIM = /^\.minikafka-.*\.lock$/
/** The lock file of Kafka, which holds an fcntl lock on it. Node cannot test such a lock, but Linux lists all in /proc/locks. */
const KAFKA_LOCK_NAME = '.lock'
/** The limit of a socket path in bytes: macOS allows 104, including the terminating zero, and Linux 108. */
const LONGEST_SOCKET_PATH = 103

/** The lock that this process holds on a data directory until `release`. */
export interface DirectoryLock {
  release(): Promise<void>
}

/** The state of a claim, as its process reports it. */
interface ClaimState {
  readonly processId: string
  readonly isHeld: boolean
}

/** Locks a data directory and creates it if it does not exist. Throws DataDirectoryError if it is in use or unusable. */
export async function lockDirectory(directory: string, random: Random): Promise<DirectoryLock> {
  try {
    return await claim(directory, random)
  } catch (error) {
    throw codeOf(error) === '' ? error : unusable(directory, error)
  }
}

async function claim(directory: string, random: Random): Promise<DirectoryLock> {
  makeDirectory(directory)
  fs.accessSync(directory, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
  const kafka = kafkaProcess(directory)
  if (kafka !== undefined) throw inUse(directory, 'Apache Kafka', kafka)
  const ownClaim = await Claim.put(directory, random)
  try {
    for (;;) {
      // No await between an empty list and `isHeld = true`: a process that asks sees either the attempt or the lock.
      const others = fs.readdirSync(directory).filter(name => CLAIM.test(name) && name !== ownClaim.name)
      if (others.length === 0) break
      for (const other of others) {
        const state = await claimState(path.join(directory, other))
        if (state === undefined) fs.rmSync(path.join(directory, other), { force: true })
        // Of two simultaneous attempts the one with the smaller name succeeds.
        else if (state.isHeld || other < ownClaim.name) throw inUse(directory, 'another minikafka', state.processId)
      }
    }
  } catch (error) {
    await ownClaim.release()
    throw error
  }
  ownClaim.isHeld = true
  return ownClaim
}

/** Creates a directory and its parents. `mkdirSync` with `recursive` never returns for some paths, such as in /proc. */
function makeDirectory(directory: string): void {
  const parent = path.dirname(directory)
  if (parent !== directory && !fs.existsSync(parent)) makeDirectory(parent)
  try {
    fs.mkdirSync(directory)
  } catch (error) {
    if (!fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

function inUse(directory: string, by: string, processId: string | number): DataDirectoryError {
  return new DataDirectoryError(
    `${directory} is in use by ${by} (process ${processId}): stop it, or choose another data directory.`
  )
}

function unusable(directory: string, error: unknown): DataDirectoryError {
  const code = codeOf(error)
  const reasons: Record<string, string> = {
    EACCES: 'this user has no permission to write',
    EPERM: 'this user has no permission to write',
    EROFS: 'the file system is read-only',
    ENOENT: 'the directory cannot be created',
    ENOSPC: 'the disk is full',
    EEXIST: 'the path is a file',
    ENOTDIR: 'a parent of the path is a file'
  }
  return new DataDirectoryError(`${directory} cannot be used as data directory: ${reasons[code] ?? code}.`)
}

/** The process id of the Apache Kafka that has locked the directory. Returns undefined on systems without /proc/locks. */
function kafkaProcess(directory: string): string | undefined {
  const lock = path.join(directory, KAFKA_LOCK_NAME)
  if (!fs.existsSync(lock) || !fs.existsSync('/proc/locks')) return undefined
  const { ino } = fs.statSync(lock)
  // 1: POSIX  ADVISORY  WRITE 4711 fd:01:1234 0 EOF, with the inode behind the device.
  const writeLock = /^\d+: POSIX +ADVISORY +WRITE (\d+) \w+:\w+:(\d+) /gm
  for (const [, holder = '', inode] of fs.readFileSync('/proc/locks', 'latin1').matchAll(writeLock)) {
    if (inode === String(ino) && hasOpen(holder, lock)) return holder
  }
  return undefined
}

/**
 * True if a process has the file open, or if this process may not read its descriptors. The inode alone does not identify the
 * file, because inodes of two file systems may be equal.
 */
function hasOpen(processId: string, file: string): boolean {
  const target = fs.realpathSync(file)
  const descriptors = `/proc/${processId}/fd`
  try {
    return fs.readdirSync(descriptors).some(name => linkTarget(path.join(descriptors, name)) === target)
  } catch (error) {
    return codeOf(error) !== 'ENOENT'
  }
}

/** The target of a link in /proc; undefined if the descriptor was closed after the listing. */
function linkTarget(link: string): string | undefined {
  try {
    return fs.readlinkSync(link)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The claim of this process: a socket that reports its state, or a plain file if the file system has no sockets. */
class Claim implements DirectoryLock {
  readonly name: string
  isHeld = false
  readonly #file: string
  readonly #server: Server

  private constructor(directory: string, name: string) {
    this.name = name
    this.#file = path.join(directory, name)
    this.#server = createServer(socket => {
      socket.on('error', () => socket.destroy())
      socket.end(`{"processId":${process.pid},"held":${this.isHeld}}`)
    })
  }

  static async put(directory: string, random: Random): Promise<Claim> {
    const claim = new Claim(directory, `.minikafka-${randomUuid(random)}.lock`)
    // Renamed to its name after it accepts connections. Otherwise another process could remove it as the claim of a dead one.
    const unnamed = `${claim.#file}.new`
    try {
      await claim.#listen(unnamed)
      claim.#server.unref()
    } catch {
      // Windows and some mounts of virtual machines have no sockets in directories. The error codes differ.
      fs.writeFileSync(unnamed, String(process.pid))
    }
    fs.renameSync(unnamed, claim.#file)
    return claim
  }

  async release(): Promise<void> {
    fs.rmSync(this.#file, { force: true })
    if (this.#server.listening) await new Promise(resolve => this.#server.close(resolve))
  }

  #listen(file: string): Promise<void> {
    const address = shortAddress(file)
    return new Promise<void>((resolve, reject) => {
      // After `listen` this ignores connections that could not be accepted; the other process takes the claim as held.
      this.#server.on('error', reject)
      this.#server.listen(address.path, resolve)
    }).finally(address.forget)
  }
}

/** The state of a claim; undefined if its process is dead. */
async function claimState(file: string): Promise<ClaimState | undefined> {
  const address = shortAddress(file)
  const answer = await new Promise<string | undefined>(resolve => {
    let connected = false
    let text = ''
    const socket = connect(address.path, () => {
      connected = true
    })
    socket.setEncoding('latin1').on('data', chunk => {
      text += chunk
    })
    const done = () => resolve(connected ? text : undefined)
    socket.on('error', done)
    socket.on('close', done)
  }).finally(address.forget)
  if (answer === undefined) return stateByProcess(file)
  const [, processId = 'unknown', heldText] = /^{"processId":(\d+),"held":(true|false)}$/.exec(answer) ?? []
  // A live process that cannot answer, for example without free file descriptors, counts as holder of the lock.
  return { processId, isHeld: heldText !== 'false' }
}

/** The state of a claim that is a plain file with a process id. The claim is valid as long as that process lives. */
function stateByProcess(file: string): ClaimState | undefined {
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined
  const processId = Number(fs.readFileSync(file, 'latin1'))
  // A claim with the id of this process is stale. In a container each main process has the same id.
  return processId !== process.pid && isAlive(processId) ? { processId: String(processId), isHeld: true } : undefined
}

function isAlive(processId: number): boolean {
  try {
    return processId > 0 && process.kill(processId, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/**
 * A socket path within the limit of the system. A longer path goes through a symbolic link in a temporary directory; `forget`
 * removes the link after `listen` or `connect`.
 */
function shortAddress(file: string): { path: string; forget: () => void } {
  if (Buffer.byteLength(file) <= LONGEST_SOCKET_PATH) return { path: file, forget: () => {} }
  const shelter = fs.mkdtempSync(path.join(tmpdir(), 'minikafka-'))
  fs.symlinkSync(path.resolve(path.dirname(file)), path.join(shelter, 'd'))
  return {
    path: path.join(shelter, 'd', path.basename(file)),
    forget: () => fs.rmSync(shelter, { recursive: true, force: true })
  }
}
