/** Prints figures, one a line, in the columns of the other benchmarks. */

const NAME_WIDTH = 44

/** Prints a row: the name, then the figures. */
export function show(name: string, ...figures: string[]): void {
  console.log(`${name.padEnd(NAME_WIDTH)}${figures.map(figure => figure.padStart(20)).join('')}`)
}

/** The duration of an action in seconds. */
export async function secondsOf(act: () => unknown): Promise<number> {
  const began = performance.now()
  await act()
  return (performance.now() - began) / 1000
}

/** Throughput as "1,234 MB/s". */
export function megabytesPerSecond(bytes: number, seconds: number): string {
  return `${whole(bytes / 1e6 / seconds)} MB/s`
}

/** An integer with thousands separators. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** The median. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
