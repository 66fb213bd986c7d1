import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/runtime/random.ts'
import { DataDirectoryError } from '../../src/storage/data-directory-error.ts'
import { lockDirectory } from '../../src/storage/directory-lock.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lock-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const lock = (directory: string) => lockDirectory(directory, systemRandom)

/** A process that listens on a claim in `directory` and then runs `then`. */
const CLAIMANT = (then: string) => `
  const socket = require('net').createServer(c => c.end('{"processId":' + process.pid + ',"held":true}'))
  socket.listen('.minikafka-other.lock', () => { ${then} })`

/** Names short enough and too long for the address of a socket. */
const PATHS = ['data', join('deep'.repeat(20), 'deeper'.repeat(20), 'data')]

describe.each(PATHS)('a directory at %s', name => {
  it('a missing directory is created, and has one holder at a time', async () => {
    const directory = join(root, name)
    const first = await lock(directory)
    await expect(lock(directory)).rejects.toThrow(
      new DataDirectoryError(
        `${directory} is in use by another minikafka (process ${process.pid}): stop it, or choose another data directory.`
      )
    )
    await first.release()
    expect(readdirSync(directory)).toEqual([])
    await (await lock(directory)).release()
  })

  it('a directory is free again when its holder was killed', async () => {
    const directory = join(root, name)
    mkdirSync(directory, { recursive: true })
    const holder = spawn(process.execPath, ['-e', CLAIMANT('console.log("held")')], { cwd: directory })
    await once(holder.stdout, 'data')
    await expect(lock(directory)).rejects.toThrow(`is in use by another minikafka (process ${holder.pid})`)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    expect(readdirSync(directory)).toEqual(['.minikafka-other.lock'])
    const mine = await lock(directory)
    await mine.release()
    expect(readdirSync(directory)).toEqual([])
  })
})

it('a directory with the claim of a dead process goes to one of many concurrent holders', async () => {
  const died = CLAIMANT('process.kill(process.pid, "SIGKILL")')
  expect(() => execFileSync(process.execPath, ['-e', died], { cwd: root })).toThrow()
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => lock(root)))
  const locks = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  expect(locks).toHaveLength(1)
  await locks[0]?.release()
  expect(readdirSync(root)).toEqual([])
})

it('a claim in a plain file keeps the directory if its process lives, and is removed if the process is dead', async () => {
  const claim = join(root, '.minikafka-file.lock')
  writeFileSync(claim, String(process.ppid))
  await expect(lock(root)).rejects.toThrow(`(process ${process.ppid})`)
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'exit')
  writeFileSync(claim, String(dead.pid))
  await (await lock(root)).release()
  expect(readdirSync(root)).toEqual([])
})

it('a process that answers a claim with other or incomplete bytes counts as another holder', async () => {
  for (const answer of ['{"processId":12', 'SSH-2.0-OpenSSH', '']) {
    const stranger = createServer(socket => socket.end(answer)).listen(join(root, '.minikafka-strange.lock'))
    await once(stranger, 'listening')
    await expect(lock(root), answer).rejects.toThrow(`${root} is in use by another minikafka (process unknown)`)
    await new Promise(resolve => stranger.close(resolve))
  }
})

it('a directory that accepts no files is refused with one sentence', async () => {
  // Root may write everywhere except in /proc. On systems without /proc, it cannot be created.
  await expect(lock('/proc/self')).rejects.toThrow(/^\/proc\/self cannot be used as data directory: .+\.$/)
  await expect(lock('/proc/self')).rejects.toThrow(DataDirectoryError)
  await expect(lock('/proc/no-such/directory')).rejects.toThrow('the directory cannot be created')
})

it.each(['a file', 'a file/below'])('a path that is %s is refused as a directory with one sentence', async name => {
  writeFileSync(join(root, 'a file'), '')
  await expect(lock(join(root, name))).rejects.toThrow(/ cannot be used as data directory: .*file\.$/)
})
