/**
 * One process at a time in a data directory. Node has no file locks, so each claimant puts a Unix socket of a name of
 * its own there: it can be connected to exactly while its process lives, hence a dead one is dead for good and anyone
 * may remove it. Who sees no other claim than its own holds the directory: of two, the later to look sees the other.
 */
import * as fs from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { codeOf } from '../runtime/error-code.ts'
import { type Random, randomUuid } from '../runtime/random.ts'
import { DataDirectoryError } from './data-directory-error.ts'

const CLAIM = /^\.minikafka-.*\.lock$/
/** Kafka holds it by an fcntl lock: Node has none, but Linux lists all. */
const KAFKA_LOCK_NAME = '.lock'
/** Socket addresses are short: 104 bytes on macOS with their end mark, 108 on Linux. */
const LONGEST_SOCKET_PATH = 103

/** A directory that this process has for itself until it gives it back. */
export interface DirectoryLock {
  release(): Promise<void>
}

/** What others are told about a claim. */
interface ClaimState {
  readonly processId: string
  readonly isHeld: boolean
}

/** Makes the directory if need be and takes it. Throws DataDirectoryError when that is not possible. */
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
  const kafka = kafkaHolding(directory)
  if (kafka !== undefined) throw inUse(directory, 'Apache Kafka', kafka)
  const mine = await Claim.put(directory, random)
  try {
    for (;;) {
      // Looking and holding are one turn: nobody who asks us in between is told that we still try.
      const others = fs.readdirSync(directory).filter(name => CLAIM.test(name) && name !== mine.name)
      if (others.length === 0) break
      for (const other of others) {
        const state = await claimState(path.join(directory, other))
        if (state === undefined) fs.rmSync(path.join(directory, other), { force: true })
        // Of two that try at once the smaller name goes on, and the other gives way.
        else if (state.isHeld || other < mine.name) throw inUse(directory, 'another minikafka', state.processId)
      }
    }
  } catch (error) {
    await mine.release()
    throw error
  }
  mine.isHeld = true
  return mine
}

/** With its parents. Node's own way to make those never ends where the system knows no such directory, as in /proc. */
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
    EACCES: 'this user may not write there',
    EPERM: 'this user may not write there',
    EROFS: 'the file system is read-only',
    ENOENT: 'the system does not let one be made there',
    ENOSPC: 'the disk is full',
    EEXIST: 'it is a file',
    ENOTDIR: 'a part of the path is a file'
  }
  return new DataDirectoryError(`${directory} cannot be used as data directory: ${reasons[code] ?? code}.`)
}

/** The process of an Apache Kafka that has locked the directory, where the system tells. */
function kafkaHolding(directory: string): string | undefined {
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

/** Whether a process has a file open, for inodes of two file systems may be alike; true when that is not ours to see. */
function hasOpen(processId: string, file: string): boolean {
  const target = fs.realpathSync(file)
  const descriptors = `/proc/${processId}/fd`
  try {
    return fs.readdirSync(descriptors).some(name => linkTarget(path.join(descriptors, name)) === target)
  } catch (error) {
    return codeOf(error) !== 'ENOENT'
  }
}

/** undefined for a descriptor that was closed since they were listed. */
function linkTarget(link: string): string | undefined {
  try {
    return fs.readlinkSync(link)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Our claim on a directory: a socket that tells who asks, or a plain file where the file system has no sockets. */
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
    // It gets its name when it already answers, so that nobody takes it for a dead one.
    const unnamed = `${claim.#file}.new`
    try {
      await claim.#listen(unnamed)
      claim.#server.unref()
    } catch {
      // Some mounts of virtual machines, and Windows, have no sockets in directories, and say so in different ways.
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
      // After listening it hears of connections that could not be accepted: who asked takes that for "held".
      this.#server.on('error', reject)
      this.#server.listen(address.path, resolve)
    }).finally(address.forget)
  }
}

/** What the claim in a file says; undefined when its process is no more. */
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
  // Who lives but cannot answer, being out of file descriptors for instance, holds the directory.
  return { processId, isHeld: heldText !== 'false' }
}

/** Where the claim is a plain file: it is good while its process lives. */
function stateByProcess(file: string): ClaimState | undefined {
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined
  const processId = Number(fs.readFileSync(file, 'latin1'))
  // Our own id was left by an earlier process of the same number, as the first one in a container always has.
  return processId !== process.pid && isAlive(processId) ? { processId: String(processId), isHeld: true } : undefined
}

function isAlive(processId: number): boolean {
  try {
    return processId > 0 && process.kill(processId, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** A name by which the system takes a socket path of any length: through a short link that is forgotten afterwards. */
function shortAddress(file: string): { path: string; forget: () => void } {
  if (Buffer.byteLength(file) <= LONGEST_SOCKET_PATH) return { path: file, forget: () => {} }
  const shelter = fs.mkdtempSync(path.join(tmpdir(), 'minikafka-'))
  fs.symlinkSync(path.resolve(path.dirname(file)), path.join(shelter, 'd'))
  return {
    path: path.join(shelter, 'd', path.basename(file)),
    forget: () => fs.rmSync(shelter, { recursive: true, force: true })
  }
}
