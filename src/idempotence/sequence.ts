/** Arithmetic of producer sequence numbers: 0 to 2^31-1, then 0 again (KIP-98). */
const LAST_SEQUENCE = 2_147_483_647
const SEQUENCES = LAST_SEQUENCE + 1

/** The sequence `count` records after `sequence`. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES
}

/** The sequence `count` records before `sequence`. */
export function sequenceBefore(sequence: number, count: number): number {
  return (sequence - count + SEQUENCES) % SEQUENCES
}
