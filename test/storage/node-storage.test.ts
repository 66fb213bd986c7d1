import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodeStorage } from '../../src/storage/node-storage.ts'
import { StorageError } from '../../src/storage/storage.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'minikafka-storage-'))
})
afterEach(() => rmSync(root, { recursive: true }))

test('a storage never has more open files than its limit, however many are used', () => {
  const storage = new NodeStorage(root, 3)
  for (let number = 0; number < 10; number++) storage.append(`f${number}`, Buffer.from(`${number}`))
  for (let number = 0; number < 10; number++) expect(storage.read(`f${number}`, 0, 9).toString()).toBe(`${number}`)
  expect(storage.openFiles).toBe(3)
  storage.close()
  expect(storage.openFiles).toBe(0)
})

test('a file in the middle of a sync is not closed to make room', async () => {
  const storage = new NodeStorage(root, 1)
  storage.append('slow', Buffer.from('x'))
  const syncing = storage.sync('slow')
  storage.append('other', Buffer.from('y'))
  await syncing
  expect(storage.read('slow', 0, 1).toString()).toBe('x')
  storage.append('third', Buffer.from('z'))
  expect(storage.openFiles).toBe(1)
  storage.close()
})

test('a link has the kind of its target, and a file has no entries', () => {
  mkdirSync(join(root, 'folder/inner'), { recursive: true })
  writeFileSync(join(root, 'file'), 'x')
  const links = { toFolder: 'folder/inner', toFile: 'file', toNothing: 'gone' }
  for (const [name, target] of Object.entries(links)) symlinkSync(join(root, target), join(root, 'folder', name))
  symlinkSync('round', join(root, 'folder/round'))
  const storage = new NodeStorage(root)
  expect(storage.list('folder')).toEqual([
    { name: 'inner', kind: 'directory' },
    { name: 'round', kind: 'other', isLink: true },
    { name: 'toFile', kind: 'file', isLink: true },
    { name: 'toFolder', kind: 'directory', isLink: true },
    { name: 'toNothing', kind: 'other', isLink: true }
  ])
  expect([storage.list('file'), storage.list('gone')]).toEqual([[], []])
})

test('a device without room is an error of kind full', () => {
  const storage = new NodeStorage('/dev')
  const error = failure(() => storage.append('full', Buffer.from('x')))
  expect(error).toMatchObject({ kind: 'full', code: 'KAFKA_STORAGE_ERROR' })
  storage.close()
})

test('a missing file is an error of kind other that names the path', () => {
  const error = failure(() => new NodeStorage(root).read('nowhere/0.log', 0, 1))
  expect(error.kind).toBe('other')
  expect(error.message).toContain('nowhere/0.log')
})

function failure(act: () => void): StorageError {
  try {
    act()
  } catch (error) {
    if (error instanceof StorageError) return error
  }
  throw new Error('no StorageError was thrown')
}
