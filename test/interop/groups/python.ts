// Paths of the Python interpreter and of the Python program for consumer groups.
import { join } from 'node:path'
import { made } from '../made.ts'

const FOLDER = join(import.meta.dirname, '..', 'python')

/** The program with confluent-kafka: SERVERS PROTOCOL PREFIX SCENARIO ... */
export const GROUPS_PROGRAM = join(FOLDER, 'groups.py')

/** The interpreter with confluent-kafka; installed on first use. */
export async function pythonProgram(): Promise<string> {
  const install = ['target/venv/bin/pip', 'install', '-q', '-r', 'requirements.txt']
  const target = await made(FOLDER, 'target', [['python3', '-m', 'venv', 'target/venv'], install])
  return join(target, 'venv', 'bin', 'python')
}
