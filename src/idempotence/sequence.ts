/** Arithmetic of producer sequence numbers, 0 to 2^31-1 and then 0 again (KIP-98); `incrementSequence` is the batch's. */
const SEQUENCES = 2_147_483_648

/** The sequence number `decrement` before `sequence`: the largest int32 precedes 0. */
export function decrementSequence(sequence: number, decrement: number): number {
  return (sequence - decrement + SEQUENCES) % SEQUENCES
}
