import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodeStorage } from '../../src/log/node-storage.ts'
import { StorageError } from '../../src/log/storage.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'minikafka-storage-'))
})
afterEach(() => rmSync(root, { recursive: true }))

test('no more files are open than the limit, however many are used', () => {
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
