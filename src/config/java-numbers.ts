/** Numbers as Java reads and writes them, for values must look as they do in Kafka. */

/** Java's parseInt and parseLong: a sign, digits, and within the bits; undefined otherwise. */
export function parseWhole(text: string, bits: number): bigint | undefined {
  const match = /^([+-]?)0*(\d{1,19})$/.exec(text.trim())
  if (!match) return undefined
  const value = BigInt(`${match[1] === '-' ? '-' : ''}${match[2]}`)
  return BigInt.asIntN(bits, value) === value ? value : undefined
}

/** Java's Double.toString: always a fraction digit, exponents outside 10^-3 .. 10^7. */
export function doubleText(value: number): string {
  const size = Math.abs(value)
  if (value === 0 || (size >= 1e-3 && size < 1e7)) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`
}
