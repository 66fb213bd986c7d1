/** Figures, one a line, in the columns of the other benchmarks. */

const NAME_WIDTH = 44

/** Prints what was measured. */
export function show(name: string, ...figures: string[]): void {
  console.log(`${name.padEnd(NAME_WIDTH)}${figures.map(figure => figure.padStart(20)).join('')}`)
}

/** Seconds that something takes. */
export async function secondsOf(act: () => unknown): Promise<number> {
  const began = performance.now()
  await act()
  return (performance.now() - began) / 1000
}

/** As "1,234 MB/s". */
export function megabytesPerSecond(bytes: number, seconds: number): string {
  return `${whole(bytes / 1e6 / seconds)} MB/s`
}

/** With separators of thousands. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
